import assert from 'node:assert/strict';
import { commandLine } from '../command-line.ts';
import { installGates } from '../gate.ts';
import { smallProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { openReadyTenant, type Tenant } from '../tenant.ts';

const NAMESPACE = 'verbs';

export const ordered: Scenario = {
  name: 'by command a program is run at once, slots of the past one after the other, and one is cancelled while its pod works',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    const holdfast = commandLine(world, NAMESPACE);
    await tenant.apply(smallProgram('ordered'));
    const triggered = await holdfast('trigger', 'ordered', '--wait', '-o', 'json');
    assert.equal(triggered.status, 0, triggered.stdout + triggered.stderr);
    const { run: newest } = JSON.parse(triggered.stdout);

    await using gates = await installGates(tenant.databaseUrl());
    const slots = ['20230101', '20240101', '20250101'];
    const names = slots.map((day) => `ordered-${day}t0200z-backfill`);
    const release = await gates.takeTurn(`${NAMESPACE}/ordered/${names[2]}/extract/extract`);
    const span = ['--from', '2023-01-01', '--to', '2025-01-01'];
    const filled = await holdfast('backfill', 'ordered', ...span, '-o', 'json');
    assert.equal(filled.status, 0, filled.stderr);
    assert.deepEqual(
      JSON.parse(filled.stdout).runs.map(({ run, made }: { run: string; made: boolean }) => [run, made]),
      names.map((name) => [name, true]),
    );
    const [oldest, next] = [await tenant.ended(names[0]!), await tenant.ended(names[1]!)];
    assert.deepEqual([oldest.status?.phase, next.status?.phase], ['Succeeded', 'Succeeded']);
    const [ended, began] = [oldest.status?.completionTime ?? '', next.status?.startTime ?? ''];
    assert.ok(Date.parse(ended) <= Date.parse(began), `one after the other: ${ended}, ${began}`);

    await gates.waiting('extract/extract', 1);
    const cancelled = await holdfast('cancel', names[2]!, '--wait', '-o', 'json');
    await release();
    assert.deepEqual([cancelled.status, JSON.parse(cancelled.stdout).phase], [0, 'Cancelled'], cancelled.stderr);
    const unpublished = await tenant.query('SELECT 1 FROM holdfast.candidates WHERE run = $1', [names[2]]);
    assert.equal(unpublished.length, 0);
    assert.equal(await current(tenant, 'ordered'), newest);
    const status = await holdfast('status', 'ordered', '-o', 'json');
    assert.equal(JSON.parse(status.stdout).programs[0].program, 'ordered');
  },
};

async function current(tenant: Tenant, program: string): Promise<string | undefined> {
  const sql = 'SELECT run FROM holdfast.current_batches WHERE program = $1';
  return (await tenant.query<{ run: string }>(sql, [program]))[0]?.run;
}
