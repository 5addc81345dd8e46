import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { longProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { conditionOf, openReadyTenant, type Tenant } from '../tenant.ts';

export const suspended: Scenario = {
  name: 'a run is suspended in the middle of a stage and goes on when it is resumed; cancelled, it ends and stays so',
  async run(world) {
    const tenant = await openReadyTenant(world, 'control');
    await tenant.apply(longProgram('control'));
    await tenant.makeRun('paused', 'control');
    await tenant.works('extract/extract');
    await patch(tenant, 'paused', { suspend: true });
    await ends(tenant, 'paused');
    const held = await until(
      'the run is suspended',
      () => tenant.run('paused'),
      ({ status }) => status?.phase === 'Suspended',
    );
    assert.equal(conditionOf(held, 'Reconciling')?.status, 'False');
    const jobs = await tenant.jobs('paused');
    assert.equal(jobs.filter(({ spec }) => spec?.suspend === true).length, 1);
    await patch(tenant, 'paused', { suspend: false });
    assert.equal((await tenant.ended('paused')).status?.phase, 'Succeeded');
    const described = await tenant.kubectl('describe', 'rr/paused');
    assert.match(described, /RunSuspended/);
    assert.match(described, /RunResumed/);

    await tenant.makeRun('unwanted', 'control');
    await tenant.works('extract/extract');
    await patch(tenant, 'unwanted', { cancel: true });
    const over = await tenant.ended('unwanted');
    assert.equal(over.status?.phase, 'Cancelled');
    await ends(tenant, 'unwanted');
    await assert.rejects(patch(tenant, 'unwanted', { cancel: false }), /cancel may be set but never taken back/);
    assert.match(await tenant.kubectl('describe', 'rr/unwanted'), /RunCancelled/);
    const published = await tenant.query('SELECT 1 FROM holdfast.candidates WHERE run = $1', ['unwanted']);
    assert.equal(published.length, 0);
  },
};

async function patch({ kubectl }: Tenant, run: string, spec: object): Promise<void> {
  await kubectl('patch', 'rr', run, '--type=merge', '-p', JSON.stringify({ spec }));
}

/** A task that is told to stop does so long before it would be killed for not listening, after 30 s. */
async function ends(tenant: Tenant, run: string): Promise<void> {
  await until(
    `the run ${run} has no pod`,
    async () => {
      const pods = await tenant.pods(run);
      return pods
        .filter(({ status }) => !/Succeeded|Failed/.test(status?.phase ?? ''))
        .map(({ metadata }) => metadata.name);
    },
    (names) => names.length === 0,
    15_000,
  );
}
