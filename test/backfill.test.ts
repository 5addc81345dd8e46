import { mkdir, rename } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import { holdfast, NOW, SLOT, type Workspace, workspace } from './support/workspace.ts';

const [OLDEST, MIDDLE] = ['2026-11-09T02:00:00Z', '2026-11-16T02:00:00Z'];

let shop: Workspace;
beforeEach(async () => {
  shop = await workspace();
});
afterEach(async () => await shop[Symbol.asyncDispose]());

const backfill = async (args: string[], options?: Parameters<Workspace['holdfast']>[1]) => {
  const all = ['backfill', await shop.program(), '--now', NOW, '--from', '2026-11-09', '--to', '2026-11-23', ...args];
  const { status, stdout, stderr } = await shop.holdfast([...all, '--output', 'json'], options);
  return { status, stderr, report: JSON.parse(stdout) };
};
const runs = async () =>
  JSON.parse((await shop.holdfast(['runs', 'keep', '-o', 'json', '--data', shop.data])).stdout).runs;
const brief = (lines: any[]) => lines.map(({ slot, phase, before }) => [slot, phase, before]);

test('slots of the past are run one after the other, the oldest first, and the current batch stays', async () => {
  await shop.holdfast(['run', await shop.program(), '--now', NOW]);
  const { status, stderr, report } = await backfill(['--present-data']);
  expect(status).toBe(0);
  expect(report).toMatchObject({ namespace: 'default', program: 'keep' });
  // The newest has its batch.
  expect(brief(report.slots)).toEqual([
    [OLDEST, 'Succeeded', false],
    [MIDDLE, 'Succeeded', false],
    [SLOT, 'Succeeded', true],
  ]);
  expect(report.slots[0]).toMatchObject({ run: 'keep-20261109t020000z-2', candidates: expect.any(Number) });
  const warned = [...stderr.matchAll(/^warning: (.*)$/gm)].map(([, sentence]) => sentence);
  expect(warned).toEqual(
    [OLDEST, MIDDLE].map(
      (slot) =>
        `Connector shop: its rows are as of now, and the slot of this run is ${slot}, before the newest, ${SLOT}.`,
    ),
  );
  expect(stderr).toMatch(/2026-11-09T02:00:00Z {2}1 of 3\n[^]*2026-11-16T02:00:00Z {2}2 of 3\n/);
  expect((await runs()).map(({ slot, trigger, current }: any) => [slot, trigger, current])).toEqual([
    [MIDDLE, 'backfill', false],
    [OLDEST, 'backfill', false],
    [SLOT, 'manual', true],
  ]);
});

test('what was interrupted goes on where it ended, and what succeeded is done again only when that is said', async () => {
  let slots = 0;
  const stopped = await backfill(['--present-data'], {
    watch: (text, abort) => {
      if (text.endsWith(' of 3\n')) slots += 1;
      if (slots === 2 && text.startsWith('filter ')) abort.abort(new HoldfastError('HF_INTERRUPTED', 'interrupted'));
    },
  });
  expect(stopped.status).toBe(1);
  expect(stopped.stderr).toMatch(/HF_INTERRUPTED: interrupted\n$/);
  expect(brief(stopped.report.slots)).toEqual([
    [OLDEST, 'Succeeded', false],
    [MIDDLE, 'Interrupted', false],
    [SLOT, 'NotBegun', false],
  ]);
  expect(brief((await backfill(['--present-data'])).report.slots)).toEqual([
    [OLDEST, 'Succeeded', true],
    [MIDDLE, 'Succeeded', false],
    [SLOT, 'Succeeded', false],
  ]);
  expect(brief((await backfill(['--present-data', '--again'])).report.slots).map(([, , before]) => before)).toEqual([
    false,
    false,
    false,
  ]);
  expect((await runs()).every(({ current }: any) => !current)).toBe(true);
});

test('a slot that fails ends it, with a table of what came of each', async () => {
  const file = await shop.program((spec) => (spec['dataConnectors'][0].config.query = 'SELECT * FROM gone'));
  const args = ['backfill', file, '--now', NOW, '--from', '2026-11-16', '--to', '2026-11-23', '--present-data'];
  const { status, stdout, stderr } = await shop.holdfast(args);
  expect(status).toBe(78);
  expect(stderr).toMatch(/HF_WAREHOUSE_UNREADABLE: .*\n$/);
  expect(stdout).toMatch(
    /^SLOT +RUN +PHASE +CANDIDATES +DURATION +REASON\n2026-11-16T02:00:00Z +keep-\S+ +Failed +<none> +\S+ +HF_WAREHOUSE_UNREADABLE\n2026-11-23T02:00:00Z +<none> +NotBegun +<none> +<none>\n$/,
  );
});

test('rows of now are not taken for those of then, unless each slot has a file, or that is said', async () => {
  const refused = await backfill([]);
  expect(refused).toMatchObject({
    status: 78,
    report: {
      error: {
        code: 'HF_SLOT_REFUSED',
        message: expect.stringMatching(
          /^nothing was run: what shop gives is as of now, not as of 2026-11-09T02:00:00Z\. .*\{date\}/,
        ),
      },
    },
  });
  expect((await backfill(['--source', `shop=${shop.path('customers.parquet')}`])).status).toBe(78);
  const server = await shop.program((spec) => {
    const connectionSecretRef = { name: 'holdfast-warehouse-crm', key: 'url' };
    spec['dataConnectors'] = [
      { connectorId: 'crm', type: 'postgres', config: { connectionSecretRef, query: 'SELECT 1' } },
    ];
  }, 'server.json');
  const days = ['--now', NOW, '--from', '2026-11-09', '--to', SLOT];
  expect((await shop.holdfast(['backfill', server, ...days])).stderr).toMatch(
    /^HF_SLOT_REFUSED: .* what crm gives is as of now, .*Z\. Give --present-data if the rows of now are meant\n$/,
  );
  // The newest slot is as of now.
  const newest = await shop.holdfast(['backfill', await shop.program(), '--now', NOW, '--from', SLOT, '--to', SLOT]);
  expect(newest.status).toBe(0);
});

test('each slot reads the export of its own day, and one that is missing is named before anything is run', async () => {
  const days = ['2026-11-09', '2026-11-16', '2026-11-23'];
  for (const [index, day] of days.entries()) {
    await shop.customers(`SELECT * FROM customers WHERE customer_id < 'C03${index + 1}0'`);
    await mkdir(shop.path(day));
    await rename(shop.path('customers.parquet'), shop.path(`${day}/customers.parquet`));
  }
  const source = ['--source', `shop=${shop.path('{date}/customers.parquet')}`];
  const { stderr, report } = await backfill(source);
  expect(stderr).not.toContain('as of now');
  expect(brief(report.slots).map(([, phase]) => phase)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  expect(report.slots.map(({ candidates }: any) => candidates)).toEqual([9, 19, 29]);
  await rename(shop.path('2026-11-16'), shop.path('elsewhere'));
  const missing = await backfill([...source, '--again']);
  expect(missing.report.error).toMatchObject({
    code: 'HF_USAGE',
    message: expect.stringMatching(/^there is no .*2026-11-16\/customers.parquet for the slot 2026-11-16T02:00:00Z$/),
  });
});

test('a connector that the program does not have is named, with those that it has', async () => {
  const { status, stderr } = await shop.holdfast([
    ...['backfill', await shop.program(), '--from', '2026-11-02', '--to', '2026-11-16', '--now', NOW],
    ...['--source', `shpo=${shop.path('{date}/customers.parquet')}`],
  ]);
  expect([status, stderr]).toEqual([
    78,
    expect.stringMatching(/^HF_USAGE: --source shpo=.*; the connectors are shop$/m),
  ]);
});

test('a program that has run here is known by its name', async () => {
  await shop.holdfast(['run', await shop.program(), '--now', NOW]);
  const args = ['--now', NOW, '--from', SLOT, '--to', SLOT, '--output', 'json'];
  const { status, stdout } = await shop.holdfast(['backfill', 'keep', ...args]);
  expect({ status, slots: brief(JSON.parse(stdout).slots) }).toEqual({ status: 0, slots: [[SLOT, 'Succeeded', true]] });
  const unknown = await shop.holdfast(['backfill', 'kepp', ...args]);
  expect(unknown.stderr).toMatch(/^HF_NOT_FOUND: .*did you mean keep/);
});

test('an option of the other place is refused, not left unheard', async () => {
  const days = ['--from', SLOT, '--to', SLOT];
  for (const option of [
    ['--source', 'shop=x.csv'],
    ['--present-data'],
    ['--again'],
    ['--shards', '2'],
    ['--now', NOW],
  ]) {
    const onCluster = await holdfast(['backfill', 'keep', ...days, ...option, '--kubeconfig', 'none']);
    expect({ option, ...onCluster }).toMatchObject({
      status: 78,
      stderr: `HF_USAGE: ${option[0]} is for a data folder, and this is done in a cluster\n`,
    });
  }
  const here = ['backfill', await shop.program(), ...days, '--present-data'];
  expect((await shop.holdfast([...here, '--pipeline', 'prune'])).stderr).toMatch(
    /^HF_USAGE: --pipeline prune is for a /,
  );
  expect((await shop.holdfast([...here, '--namespace', 'shop'])).stderr).toMatch(
    /of the namespace default, not of shop/,
  );
});

test('a folder that is named as a program is not taken for its manifest', async () => {
  await shop.holdfast(['run', await shop.program(), '--now', NOW]);
  const before = process.cwd();
  process.chdir(shop.folder);
  try {
    await mkdir('keep');
    const { status } = await shop.holdfast(['backfill', 'keep', '--now', NOW, '--from', SLOT, '--to', SLOT]);
    expect(status).toBe(0);
  } finally {
    process.chdir(before);
  }
});

test('more slots than --max, and a slot that is yet to come, are refused', async () => {
  expect((await backfill(['--max', '2', '--present-data'])).report.error).toMatchObject({
    code: 'HF_SLOT_REFUSED',
    message: expect.stringContaining('3 slots'),
  });
});
