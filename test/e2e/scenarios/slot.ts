import assert from 'node:assert/strict';
import { pipelineStatusOf } from '../../support/program.ts';
import { until } from '../../support/until.ts';
import { smallProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { openReadyTenant } from '../tenant.ts';

const MINUTE_MS = 60_000;

export const slot: Scenario = {
  name: 'at a slot of its schedule a program is run, once, without anybody asking',
  async run(world) {
    const tenant = await openReadyTenant(world, 'calendar');
    // The next whole minute that is far enough to have the program there before.
    const due = new Date(Math.ceil((Date.now() + 10_000) / MINUTE_MS) * MINUTE_MS);
    const batchSchedule = `${due.getUTCMinutes()} ${due.getUTCHours()} * * *`;
    await tenant.apply(smallProgram('daily', { batchSchedule }));
    const [made] = await until(
      `a run of the slot ${due.toISOString()} is made`,
      () => tenant.runs(),
      (runs) => runs.length > 0,
      90_000,
    );
    const run = await tenant.ended(made?.metadata.name ?? '');
    assert.equal(run.status?.phase, 'Succeeded');
    assert.deepEqual(
      { trigger: run.spec.trigger, slot: Date.parse(run.spec.slot ?? '') },
      { trigger: 'schedule', slot: due.getTime() },
    );
    world.show(`made ${(Date.parse(run.metadata.creationTimestamp) - due.getTime()) / 1000} s after its slot`);
    assert.equal((await tenant.runs()).length, 1);
    const described = await tenant.kubectl('describe', 'rp/daily');
    assert.match(described, /RunCreated/);
    const program = await tenant.program('daily');
    assert.equal(Date.parse(pipelineStatusOf(program)?.nextSlot ?? ''), due.getTime() + 24 * 60 * MINUTE_MS);
  },
};
