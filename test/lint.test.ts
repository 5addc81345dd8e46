import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');

test('the lint finds a promise that is still running when what it runs on is closed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-lint-'));
  try {
    await writeFile(join(folder, 'tsconfig.json'), '{"compilerOptions":{"target":"esnext","strict":true}}');
    await writeFile(
      join(folder, 'early.ts'),
      `interface Engine extends AsyncDisposable { query(): Promise<number> }
export async function early(engine: Engine): Promise<number> {
  await using open = engine;
  return open.query();
}
export async function caught(engine: Engine): Promise<number> {
  try {
    return engine.query();
  } finally {
    await engine[Symbol.asyncDispose]();
  }
}
`,
    );
    const { stdout } = spawnSync(
      join(ROOT, 'node_modules', '.bin', 'oxlint'),
      ['--type-aware', '--config', join(ROOT, '.oxlintrc.json'), '--format', 'json', folder],
      { encoding: 'utf8', cwd: folder, timeout: 50_000 },
    );
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: readonly { code: string; labels: readonly { span: { line: number } }[] }[];
    };
    expect(diagnostics.map(({ code, labels }) => [code, labels[0]?.span.line])).toEqual([
      ['typescript(return-await)', 4],
      ['typescript(return-await)', 8],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
