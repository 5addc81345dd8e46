import assert from 'node:assert/strict';
import type { PodObject } from '../../../operator/kube/objects.ts';
import { until } from '../../support/until.ts';
import { TASKS } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { assertOneJobPerTask, weather } from '../storm.ts';

const COUNT = 3;
const INDEX = 'batch.kubernetes.io/job-completion-index';

export const shards: Scenario = {
  name: 'the scoring in three shards at once, of which one loses its pod, comes to what one pod makes of it',
  async run(world) {
    const { run, tenant } = await weather(
      world,
      async (gates, { kubectl, namespace, pods }, name) => {
        const release = await gates.takeTurn(`${namespace}/storm/${name}/score/shards/1`);
        const shardPods = async () => {
          const all = await pods(name);
          return all.filter(({ metadata }) => metadata.labels?.['holdfast.dev/task'] === 'shards');
        };
        const at = (seen: readonly PodObject[], index: number) =>
          seen.filter(({ metadata }) => metadata.labels?.[INDEX] === String(index));
        await gates.waiting('score/shards', 1);
        // One that is held up does not hold the others up.
        const seen = await until('the other shards are done', shardPods, (found) =>
          [0, 2].every((index) => at(found, index).some(({ status }) => status?.phase === 'Succeeded')),
        );
        const [victim] = at(seen, 1);
        assert.equal(victim?.status?.phase, 'Running');
        await kubectl('delete', 'pod', victim.metadata.name, '--grace-period=1');
        await until('the shard has another pod', shardPods, (found) =>
          at(found, 1).some(
            ({ metadata, status }) => metadata.uid !== victim.metadata.uid && status?.phase === 'Running',
          ),
        );
        await gates.waiting('score/shards', 1);
        await release();
      },
      { shards: COUNT },
    );
    const { name } = run.metadata;
    await assertOneJobPerTask(tenant, name, [...TASKS, 'score/shards']);
    const job: any = (await tenant.jobs(name)).find(({ metadata }) => metadata.name === `${name}-score-shards-1`);
    const { succeeded, failed, completedIndexes } = job.status;
    assert.deepEqual({ succeeded, failed, completedIndexes }, { succeeded: COUNT, failed: 1, completedIndexes: '0-2' });
    // What was done was done by the shards, not by whoever gathered them.
    const log = await tenant.kubectl('logs', `job/${name}-score-1`);
    assert.doesNotMatch(log, /made again/);
  },
};
