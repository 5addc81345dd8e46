import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { shellBlocks } from './support/documented.ts';

/*
 * What the documents print for a laptop, typed as it is printed by somebody with a clone and a file of customers. Whoever
 * serves listens in a network of its own, where the printed port is free.
 */
const ROOT = join(import.meta.dirname, '..');
const MOST_MS = 120_000;

const hasNetwork = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const testOnNetwork = hasNetwork && has('curl') && has('jq') ? test : test.skip;

let clone: string;

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'holdfast-typed-'));
  await chmod(clone, 0o755);
  await mkdir(join(clone, 'path'));
  for (const name of ['bin', 'examples']) await symlink(join(ROOT, name), join(clone, name));
  await symlink(join(ROOT, 'bin', 'holdfast'), join(clone, 'path', 'holdfast'));
  await writeFile(join(clone, 'path', 'duckdb'), DUCKDB);
  await chmod(join(clone, 'path', 'duckdb'), 0o755);
  await writeFile(join(clone, 'customers.csv'), customers(600));
  await writeFile(join(clone, 'next-week.csv'), customers(500).replaceAll(/,(Yes|No|churned)$/gm, ''));
  const { status, said } = await type('holdfast run examples/churn-prevention.yaml');
  expect([status, said]).toEqual([0, expect.stringContaining('stored')]);
}, MOST_MS);

afterAll(async () => {
  await type('holdfast clean');
  await rm(clone, { recursive: true });
}, MOST_MS);

/** `duckdb -c SQL`, by the DuckDB that is here. */
const DUCKDB = `#!/bin/sh
exec ${process.execPath} --input-type=module --eval '
  import { DuckDBInstance } from "${join(ROOT, 'node_modules/@duckdb/node-api/lib/index.js')}";
  const connection = await (await DuckDBInstance.create()).connect();
  console.log((await connection.runAndReadAll(process.argv[2])).getRows().join("\\n"));
' -- "$@"
`;

/** Those who have not come for long have left more often. */
function customers(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const days = (index * 37) % 120;
    const left = days + ((index * 71) % 60) > 110 ? 'Yes' : 'No';
    return `C${String(index).padStart(4, '0')},${days},${20 + ((index * 53) % 900)},${1 + (index % 7)},${left}`;
  });
  return `customer_id,days_since_last_login,lifetime_value,support_tickets,churned\n${rows.join('\n')}\n`;
}

/** Types lines into one shell. One that serves is told to stop once it listens; nothing that was started goes on. */
async function type(
  script: string,
  network = false,
): Promise<{ readonly status: number | null; readonly said: string }> {
  const log = join(clone, 'said.log');
  const shell = ['bash', '-c', `exec > ${log} 2>&1; set -euo pipefail\n${script}`];
  const apart = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...shell];
  const [program = '', ...args] = network ? apart : shell;
  const env = { ...process.env, PATH: `${join(clone, 'path')}:${process.env['PATH']}` };
  const child = spawn(program, args, { cwd: clone, env, detached: true, stdio: 'ignore' });
  const end = (signal: NodeJS.Signals) => {
    try {
      process.kill(-(child.pid as number), signal);
    } catch {
      // Nothing of it is left.
    }
  };
  const late = setTimeout(() => end('SIGKILL'), MOST_MS);
  const serves = /^holdfast serve[^&]*$/m.test(script.trimEnd().split('\n').at(-1) ?? '');
  const listens = () => existsSync(log) && readFileSync(log, 'utf8').includes('Holdfast is at');
  const looking = setInterval(() => serves && listens() && end('SIGINT'), 200);
  const [status] = (await once(child, 'exit')) as [number | null];
  clearInterval(looking);
  clearTimeout(late);
  end('SIGTERM');
  return { status, said: await readFile(log, 'utf8') };
}

/** The lines of a document under a name, however many blocks have it. */
function lines(file: string, name: string): string {
  const found = shellBlocks(file).filter((block) => block.name === name);
  expect([file, found.length > 0]).toEqual([file, true]);
  return found.map(({ script }) => script).join('\n');
}

test.each(['explain', 'data', 'list', 'prune'])(
  'the lines of %s.md do what they say',
  async (name) => {
    const { status, said } = await type(lines(`docs/guides/${name}.md`, 'laptop'));
    expect([status, said]).toEqual([0, expect.not.stringContaining('HF_')]);
  },
  MOST_MS,
);

testOnNetwork.each(['serve', 'ask', 'tokens'])(
  'the lines of api.md: %s',
  async (name) => {
    const { status, said } = await type(lines('docs/guides/api.md', name), true);
    expect([status, said]).toEqual([0, expect.not.stringMatching(/HF_|curl: \(/)]);
  },
  MOST_MS,
);

test.each(['docs/guides/start.md', 'README.md'])(
  'the lines of %s for a file of your own do what they say',
  async (file) => {
    const { status, said } = await type(lines(file, 'laptop'));
    await type('holdfast clean; rm -f program.yaml customers-retention-risk.* contact.csv');
    expect([status, said]).toEqual([0, expect.not.stringContaining('HF_')]);
  },
  MOST_MS,
);
