import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ENTRY = join(import.meta.dirname, 'entry.ts');

/** Says of each package that is loaded. */
const HOOK = `import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) {
  if (/^(@kubernetes|@duckdb|pg$)/.test(name)) process.stderr.write('loads ' + name + '\\n');
  return next(name, context);
} });`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-loaded-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function loaded(...args: readonly string[]): readonly string[] {
  const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
  const options = {
    cwd: folder,
    encoding: 'utf8',
    env: { HOME: folder, PATH: process.env['PATH'] ?? '' },
    timeout: 60_000,
  } as const;
  const { stderr } = spawnSync(process.execPath, ['--import', hook, ENTRY, ...args], options);
  const names = [...stderr.matchAll(/^loads (\S+)$/gm)].map(([, name]) => name ?? '');
  return [...new Set(names)].filter((name) => name !== '');
}

test('what reaches a cluster is loaded for a command that does, and for no other', async () => {
  const kubeconfig = join(folder, 'config');
  const named = {
    name: 'x',
    cluster: { server: 'http://127.0.0.1:1' },
    context: { cluster: 'x', user: 'x' },
    user: {},
  };
  await writeFile(
    kubeconfig,
    JSON.stringify({ 'current-context': 'x', clusters: [named], contexts: [named], users: [named] }),
  );
  expect(loaded('--help')).toEqual([]);
  expect(loaded('run', 'nowhere.yaml')).not.toContain('@kubernetes/client-node');
  expect(loaded('status')).not.toContain('@kubernetes/client-node');
  expect(loaded('status', '--kubeconfig', kubeconfig)).toEqual(['@kubernetes/client-node']);
});
