import { spawn, spawnSync } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '../database/client/connect.ts';
import { startEmbeddedPostgres } from '../database/embedded/embedded.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

const COMMAND = fileURLToPath(new URL('../bin/holdfast', import.meta.url));
/** What a file takes of a tmpfs, at least. */
const PAGE = 4096;

const root = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
if (!root) console.warn('a disk that fills up: skipped, since making a small disk needs root');

interface Report {
  readonly run: string;
  readonly phase: string;
  readonly stages: readonly { name: string; rowsOut: number }[];
  readonly error?: { code: string };
}

let shop: Workspace;
let program: string;
/** Bytes that each stage's artifact takes of a tmpfs, in order. */
let taken: [stage: string, bytes: number][];
let good: Report;
beforeAll(async () => {
  if (!root) return;
  shop = await workspace();
  // Something that does not compress, so that a file takes more than a page or two.
  program = await shop.program((spec) => {
    spec['dataConnectors'][0].config.query = 'SELECT *, sha256(customer_id) AS noise FROM customers';
  });
  const { stdout } = await shop.holdfast(['run', program, '--now', NOW, '--output', 'json']);
  good = JSON.parse(stdout) as Report;
  const folder = join(shop.data, 'artifacts', 'default', 'keep', good.run);
  taken = [['revision', PAGE]];
  for (const stage of ['extract', 'filter', 'score', 'offer'])
    taken.push([stage, await pagesOf(join(folder, stage, '1'))]);
});
afterAll(async () => {
  if (root) await shop[Symbol.asyncDispose]();
});

async function pagesOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += Math.ceil((await stat(join(folder, name))).size / PAGE) * PAGE;
  return bytes;
}

/** Runs commands in a mount namespace of their own, whose mounts go with it. */
async function inNamespace(script: string): Promise<string[]> {
  const child = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return stdout.trimEnd().split('\n');
}

const holdfast = (words: string, stderr = '/dev/null') =>
  `"${COMMAND}" ${words} --output json --data "${shop.data}" 2>${stderr}; echo $?`;
const run = (stderr?: string) => holdfast(`run "${program}" --now ${NOW}`, stderr);

async function runsOf(names: readonly string[]) {
  const server = await startEmbeddedPostgres({ folder: join(shop.data, 'postgres') });
  const database = await connect(server.url, { applicationName: 'test' });
  try {
    const { rows } = await database.pool.query(
      `SELECT phase, error_code, published_at IS NOT NULL AS published,
         (SELECT count(*)::int FROM holdfast.candidates WHERE run = runs.run) AS candidates
       FROM holdfast.runs WHERE run = ANY($1) ORDER BY sequence`,
      [names],
    );
    return rows;
  } finally {
    await database.close();
    await server.stop();
  }
}

/** The run on the full disk failed as such and published nothing, and the one after it did all its work. */
async function expectRecovery(
  [full = '', fullStatus, next = '', nextStatus]: readonly string[],
  stage?: string,
): Promise<void> {
  const [failed, succeeded] = [JSON.parse(full) as Report, JSON.parse(next) as Report];
  expect(failed).toMatchObject({ phase: 'Failed', error: { code: 'HF_DISK_FULL' } });
  expect([fullStatus, nextStatus]).toEqual(['1', '0']);
  if (stage !== undefined) expect(failed.stages.map(({ name }) => name)).toEqual(stagesBefore(stage));
  const stored = good.stages.at(-1)?.rowsOut;
  expect(succeeded.stages.at(-1)?.rowsOut).toBe(stored);
  expect(await runsOf([good.run, failed.run, succeeded.run])).toEqual([
    { phase: 'Succeeded', error_code: null, published: true, candidates: stored },
    { phase: 'Failed', error_code: 'HF_DISK_FULL', published: false, candidates: 0 },
    { phase: 'Succeeded', error_code: null, published: true, candidates: stored },
  ]);
}

function stagesBefore(stage: string): string[] {
  const stages = ['extract', 'filter', 'score', 'offer', 'store'];
  return stages.slice(0, stages.indexOf(stage));
}

(root ? describe : describe.skip)('a disk that fills up', () => {
  test('with the artifact of each stage in turn: the run fails there, and with room the next is whole', async () => {
    const room = join(shop.data, 'artifacts');
    const stages = taken.slice(1).map(([stage, own], place) => {
      const before = taken.slice(0, place + 1).reduce((sum, [, bytes]) => sum + bytes, 0);
      // Of the last one all but a page, of the others half.
      const size = before + (stage === 'offer' ? own - PAGE : Math.floor(own / 2 / PAGE) * PAGE);
      return { stage, script: `mount -t tmpfs -o size=${size} tmpfs "${room}"; ${run()}; umount "${room}"; ` };
    });
    const lines = await inNamespace(
      `${stages.map(({ script }) => script).join('')} mount -t tmpfs -o size=64m tmpfs "${room}"; ${run()}`,
    );
    for (const [index, { stage }] of stages.entries())
      await expectRecovery([...lines.slice(2 * index, 2 * index + 2), ...lines.slice(-2)], stage);
  });

  test('before the data folder can be locked: that is said, and the same passes with room', async () => {
    const place = join(shop.folder, 'small');
    const there = `--output json --data "${place}" 2>/dev/null; echo $?`;
    const [full = '', status] = await inNamespace(
      `mkdir "${place}"; mount -t tmpfs -o size=64k tmpfs "${place}"; mkdir "${place}/artifacts" "${place}/samples" "${place}/scratch"
       echo '{"kind":"HoldfastData","version":1}' > "${place}/holdfast.json"; dd if=/dev/zero of="${place}/fill" bs=4k 2>/dev/null
       "${COMMAND}" run "${program}" --now ${NOW} ${there}`,
    );
    expect({ error: JSON.parse(full).error.code, status }).toEqual({ error: 'HF_DISK_FULL', status: '1' });
  });

  test.each([
    ['what the extract is read into', '8k', 'extract'],
    ['what Postgres is to take', '24k', 'store'],
  ])('with %s: the run fails, and with room the next is whole', async (_what, size, stage) => {
    const room = join(shop.data, 'scratch');
    // Without the noise, which no candidate has, the extract needs less room than what Postgres is to take.
    if (stage === 'store') program = await shop.program();
    const lines = await inNamespace(
      `mount -t tmpfs -o size=${size} tmpfs "${room}"; ${run()}; mount -o remount,size=64m "${room}"; ${run()}`,
    );
    await expectRecovery(lines, stage);
  });

  test.each([
    ['as soon as it is up', 'grep -q ^ready "$room/data/postmaster.pid"'],
    ['while the batch is made', 'grep -q ^score "$progress"'],
  ])(
    'with the embedded Postgres %s: the last batch stays to be read, and with room the next is whole',
    async (_when, sign) => {
      // A tmpfs with the same cluster, which something else fills to the last byte when it sees the sign.
      const lines = await inNamespace(
        `room="${join(shop.data, 'postgres')}"; cluster="${shop.path('cluster')}"; progress="${shop.path('progress')}"; rm -f "$progress";
       cp -a "$room" "$cluster"; mount -t tmpfs -o size=1g,mode=700 tmpfs "$room"; cp -a "$cluster/." "$room/";
       chown --reference="$cluster" "$room"; rm -r "$cluster";
       size=$(du -s --block-size=1 "$room" | cut -f1); mount -o remount,size=$((size + 1048576)) "$room";
       (until ${sign} 2>/dev/null || [ -e "$progress.over" ]; do :; done; dd if=/dev/zero of="$room/filler" bs=4k 2>/dev/null) &
       ${run('"$progress"')}; touch "$progress.over"; wait; rm "$progress.over";
       ${holdfast('explain keep C0300')}; mount -o remount,size=1g "$room"; rm "$room/filler"; ${run()}`,
      );
      const [full = '', fullStatus, explained = '', , next = '', nextStatus] = lines;
      expect([fullStatus, nextStatus]).toEqual(['1', '0']);
      expect(JSON.parse(full)).toMatchObject({ error: { code: 'HF_DISK_FULL' } });
      // Either Postgres lets nobody in, or the run that it knows as current is that of before.
      const answer = JSON.parse(explained) as Report;
      if (answer.error === undefined)
        expect((await runsOf([answer.run]))[0]).toMatchObject({ phase: 'Succeeded', published: true });
      else expect(answer.error.code).toBe('HF_DISK_FULL');
      expect((JSON.parse(next) as Report).stages.at(-1)).toMatchObject({ rowsOut: good.stages.at(-1)?.rowsOut });
    },
  );
});
