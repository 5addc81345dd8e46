import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NOW, SLOT, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
beforeAll(async () => {
  shop = await workspace();
  const run = async (milliseconds: number, changes?: Parameters<Workspace['program']>[0]) => {
    const hands = [0];
    const args = ['run', await shop.program(changes), '--now', NOW];
    return shop.holdfast(args, { elapsed: () => hands.shift() ?? milliseconds });
  };
  expect((await run(7500)).status).toBe(0);
  expect((await run(90_000, (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * FROM gone'))).status).toBe(
    78,
  );
});
afterAll(async () => await shop[Symbol.asyncDispose]());

const ask = (...args: string[]) => shop.holdfast([...args, '--data', shop.data]);

test('runs are listed as kubectl lists, newest first, with which is current and why one failed', async () => {
  const { status, stdout } = await ask('runs', 'keep');
  expect(status).toBe(0);
  const [heading, failed, current, ...more] = stdout.split('\n');
  expect(heading).toMatch(
    /^RUN {3,}SLOT {3,}PHASE {3,}CURRENT {3,}CANDIDATES {3,}HELD OUT {3}TO CONTACT {3}DURATION {3,}AGE {3,}WARNINGS {3,}REASON$/,
  );
  expect(failed).toMatch(
    new RegExp(
      `^keep-20261123t020000z-2 {3}${SLOT} {3}Failed {3,}<none> {3,}<none> {3,}<none> {3,}90s {3,}0s {3,}0 {3,}HF_WAREHOUSE_UNREADABLE$`,
    ),
  );
  expect(current).toMatch(
    new RegExp(`^keep-20261123t020000z-1 {3}${SLOT} {3}Succeeded {3}\\* {3,}96 {3,}13 {3,}83 {3,}7.5s {3,}0s {3,}0$`),
  );
  expect(more).toEqual(['']);
  expect(stdout).not.toMatch(/\.\d{3}Z/);
});

test('wide has start, end and the sentence; JSON the same figures', async () => {
  const wide = await ask('runs', '-o', 'wide');
  expect(wide.stdout).toMatch(
    /PIPELINE {3,}TRIGGER {3,}RETRY OF {3,}START {3,}END {3,}WARNINGS {3,}REASON\n.* HF_WAREHOUSE_UNREADABLE: Connector shop/,
  );
  const { runs } = JSON.parse((await ask('runs', 'keep', '--output', 'json')).stdout);
  expect(runs).toMatchObject([
    {
      phase: 'Failed',
      current: false,
      candidates: null,
      toContact: null,
      seconds: 90,
      error: { code: 'HF_WAREHOUSE_UNREADABLE' },
    },
    {
      phase: 'Succeeded',
      current: true,
      slot: SLOT,
      startedAt: NOW,
      finishedAt: NOW,
      seconds: 7.5,
      retryOf: null,
      error: null,
    },
  ]);
});

test('status says which batch is current, how the last ended, and when the next is due', async () => {
  const { stdout } = await ask('status');
  expect(stdout).toMatch(
    new RegExp(
      `^PROGRAM {3}PIPELINE .*\\nkeep {6}batch {6}${SLOT} {3}96 {3,}13 {3,}83 {3,}Failed {3}0s {4}2026-11-30T02:00:00Z {3}HF_WAREHOUSE_UNREADABLE\\n$`,
    ),
  );
  const { programs } = JSON.parse((await ask('status', 'keep', '-o', 'json')).stdout);
  expect(programs).toMatchObject([
    { program: 'keep', nextSlot: '2026-11-30T02:00:00Z', current: { phase: 'Succeeded' }, last: { phase: 'Failed' } },
  ]);
  expect(programs[0].pipelines).toMatchObject([{ pipeline: 'batch', last: { phase: 'Failed' } }]);
  // The same fields whether a program is named or not.
  expect(JSON.parse((await ask('status', '-o', 'json')).stdout)).toEqual({ programs });
});

test('status names the next slot of a pipeline that is scheduled beside the batch', async () => {
  const scheduled = await shop.program((spec) => (spec['schedules'] = { prune: '30 4 * * *' }));
  expect((await shop.holdfast(['run', scheduled, '--now', NOW])).status).toBe(0);
  const { stdout } = await ask('status', 'keep');
  expect(
    stdout
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {3,}/)),
  ).toEqual([
    expect.arrayContaining(['keep', 'batch', 'Succeeded']),
    ['keep', 'prune', ...Array(6).fill('<none>'), '2026-11-24T04:30:00Z'],
    [''],
  ]);
});

test.each(['runs', 'status'])('%s of a program that never ran names those that have', async (command) => {
  const { status, stderr } = await ask(command, 'kepp');
  expect({ status, stderr }).toEqual({
    status: 78,
    stderr: expect.stringMatching(/^HF_NOT_FOUND: .*did you mean keep/),
  });
});

test('where nothing has run, that is said', async () => {
  const { status, stderr } = await shop.holdfast(['runs', '--data', shop.path('nowhere')]);
  expect({ status, stderr }).toEqual({
    status: 78,
    stderr: expect.stringMatching(/^HF_NOT_FOUND: there is no state in/),
  });
});
