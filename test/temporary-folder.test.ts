import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

const COMMAND = fileURLToPath(new URL('../bin/holdfast', import.meta.url));

let shop: Workspace;
beforeAll(async () => {
  shop = await workspace();
  await writeFile(shop.path('a-file'), '');
  const rows = Array.from({ length: 300 }, (_, n) => `C${n},${n % 40},${n % 2}`);
  await writeFile(shop.path('customers.csv'), `customer_id,logins,churned\n${rows.join('\n')}\n`);
});
afterAll(async () => shop[Symbol.asyncDispose]());

/** Commands that need a folder for temporary files. */
const COMMANDS: readonly [string, () => Promise<string[]>][] = [
  ['init', async () => ['init', shop.path('customers.csv'), '-o', '-']],
  ['run --dry-run', async () => ['run', await shop.program(), '--now', NOW, '--dry-run', '--data', shop.path('dry')]],
  [
    'models check --data',
    async () => [
      ...['models', 'check', shop.path('risk.onnx'), '--label', 'churned'],
      ...['--data', shop.path('customers.csv')],
    ],
  ],
];
test.each([...COMMANDS.map((one) => [...one, 'nowhere'] as const), [...COMMANDS[0]!, 'a-file'] as const])(
  '%s with a TMPDIR that is no folder says so',
  async (_name, args, place) => {
    const TMPDIR = shop.path(place);
    const { stderr, status } = spawnSync(COMMAND, await args(), {
      encoding: 'utf8',
      timeout: 50_000,
      env: { PATH: process.env['PATH'], TMPDIR },
    });
    expect(stderr).toContain(
      `HF_DATA_FOLDER: TMPDIR names ${TMPDIR}, which is not a folder: set it to a folder that can be written to\n`,
    );
    expect(status).toBe(78);
  },
);

test('the command that is printed as next can be pasted, whatever the folder is called', async () => {
  const data = shop.path("my data & it's");
  await mkdir(data);
  const { status, stdout } = await shop.holdfast(['run', await shop.program(), '--now', NOW, '--data', data]);
  expect(status).toBe(0);
  const [, options = ''] = /^next +holdfast (explain .*)$/m.exec(stdout) ?? [];
  const { stdout: said, stderr } = spawnSync('sh', ['-c', `${COMMAND} ${options}`], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  expect(stderr).toBe('');
  expect(said).toContain('candidate');
  await shop.holdfast(['clean', '--data', data]);
});
