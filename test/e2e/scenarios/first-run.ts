import assert from 'node:assert/strict';
import { pipelineStatusOf } from '../../support/program.ts';
import { until } from '../../support/until.ts';
import { TASKS } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { conditionOf, openBareTenant } from '../tenant.ts';
import { readerOf } from './install.ts';

export const firstRun: Scenario = {
  name: 'the example is run by hand, as the guide prints it: every task is a pod, its candidates are in Postgres, and kubectl tells it all',
  async run(world) {
    const { show } = world;
    const shop = await openBareTenant(world, 'shop');
    const reader = await readerOf(world);
    const began = performance.now();
    const printed = await reader.types('docs/guides/cluster.md', 'look');
    show(`the run of 10,000 customers took ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const [, name = ''] = /retentionrun\.holdfast\.dev\/(\S+) condition met/.exec(printed) ?? [];
    const { status } = await shop.run(name);
    assert.equal(status?.phase, 'Succeeded');
    const stages = status?.stages ?? [];
    assert.deepEqual(
      stages.map(({ name, phase }) => `${name} ${phase}`),
      ['extract', 'filter', 'score', 'offer', 'store'].map((stage) => `${stage} Succeeded`),
    );
    assert.equal(stages[0]?.rowsIn, 10_000);
    for (const [index, stage] of stages.slice(1).entries()) assert.equal(stage.rowsIn, stages[index]?.rowsOut);
    const candidates = stages[4]?.counts?.['candidates'] ?? 0;
    assert.ok(candidates > 300 && candidates < 800, `${candidates} candidates of 10,000`);
    assert.ok((stages[1]?.counts?.['removed.churn-signal'] ?? 0) > 0, 'the filter counts whom it removed, and why');

    const pods = await shop.pods(name);
    show(pods.map((pod) => `pod ${pod.metadata.name} ${pod.status?.phase}`).join('\n'));
    const labels = pods.map(({ metadata }) => metadata.labels ?? {});
    assert.deepEqual(
      labels.map((label) => `${label['holdfast.dev/stage']}/${label['holdfast.dev/task']}`).sort(),
      [...TASKS].sort(),
    );
    assert.ok(pods.every((pod) => pod.status?.phase === 'Succeeded'));

    const stored = await shop.query<{ customer_id: string }>('SELECT customer_id FROM holdfast.current_candidates');
    assert.equal(stored.length, candidates);
    const program = await until(
      'the program names its last run',
      () => shop.program('churn-prevention'),
      (seen) => pipelineStatusOf(seen)?.lastRun?.phase === 'Succeeded',
    );
    const last = pipelineStatusOf(program)?.lastRun;
    assert.deepEqual([last?.name, last?.candidates], [name, candidates]);
    assert.equal(conditionOf(program, 'LastRunSucceeded')?.status, 'True');

    const table = await shop.kubectl('get', 'rp,rr');
    show(table);
    assert.match(table, /NAME +READY +REASON +SCHEDULE +LAST RUN +CANDIDATES +OUTCOME +NEXT/);
    assert.match(table, /NAME +PROGRAM +PIPELINE +PHASE/);
    const described = printed.slice(printed.indexOf(`Name:         ${name}`));
    assert.match(described, /Message: +every task is done/);
    assert.match(described, /Type: +Complete/);

    // Nobody but the database, and those whom it lets in, is to know whom it is about.
    const said = [printed, table].join('\n');
    const named = stored.filter(({ customer_id }) => said.includes(customer_id));
    assert.deepEqual(named, [], 'a customer is named in a log or a status');
  },
};
