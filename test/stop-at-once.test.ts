import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const PATIENCE_MS = 45_000;

/** Signals its own process when the first file is loaded that is neither the entry file nor the list of errors. */
const AT_ONCE = `
import { registerHooks } from 'node:module';
let sent = false;
registerHooks({
  load(url, context, next) {
    if (!sent && url.startsWith('file:') && url !== 'file://' + process.argv[1] && !url.endsWith('/base/errors.ts')) {
      sent = true;
      process.kill(process.pid, 'SIGTERM');
    }
    return next(url, context);
  },
});`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-at-once-'));
});
afterAll(() => rm(folder, { recursive: true }));

function start(args: readonly string[], environment: Record<string, string> = {}, ipc = false): ChildProcess {
  const [entry = '', ...rest] = args;
  return spawn(
    'node',
    ['--import', `data:text/javascript,${encodeURIComponent(AT_ONCE)}`, join(ROOT, entry), ...rest],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    },
  );
}

/** @throws when it is still there after the time, which it does not survive */
function ended(child: ChildProcess): Promise<{ status: number | null; said: string }> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (said += text));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`did not end within ${PATIENCE_MS / 1000} s of SIGTERM: ${child.spawnargs.join(' ')}\n${said}`));
    }, PATIENCE_MS);
    child.once('close', (status) => {
      clearTimeout(late);
      resolve({ status, said });
    });
  });
}

test('an operator that is told to stop before it has loaded ends with 0 and never listens', async () => {
  const { status, said } = await ended(start(['operator/main.ts'], { HOLDFAST_IMAGE: 'none', HOLDFAST_PORT: '0' }));
  expect({ status, said }).toEqual({ status: 0, said: '' });
});

test('a task that is told to stop before it has loaded says that it was interrupted, and can be done again', async () => {
  const log = join(folder, 'termination');
  const child = start(['jobs/main.ts', 'batch/extract/migrate'], { HOLDFAST_TERMINATION_LOG: log });
  expect((await ended(child)).status).toBe(1);
  expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({ error: { code: 'HF_INTERRUPTED' } });
});

test('a shard that is told to stop before it has loaded says so to its parent', async () => {
  const child = start(['jobs/shard-entry.ts'], {}, true);
  const messages: unknown[] = [];
  child.on('message', (message) => messages.push(message));
  child.send({ pipeline: 'batch', stage: 'score' });
  expect((await ended(child)).status).toBe(0);
  expect(messages).toEqual([{ kind: 'failed', code: 'HF_INTERRUPTED', message: 'stopped by SIGTERM; run it again' }]);
});

test.each([
  ['run', ['run', 'examples/churn-prevention.yaml', '--customers', '1000']],
  ['serve', ['serve', '--port', '0']],
])('holdfast %s that is told to stop before it has loaded ends as it would later', async (name, args) => {
  const { status, said } = await ended(start(['cli/entry.ts', ...args, '--data', join(folder, name)]));
  expect(said).toMatch(/^HF_INTERRUPTED: stopped by SIGTERM; run it again$/m);
  expect(status).toBe(1);
});
