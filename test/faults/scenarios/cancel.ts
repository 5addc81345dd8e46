import { RESOURCES } from '../../../operator/kube/api.ts';
import type { RunObject } from '../../../operator/kube/objects.ts';
import { dueRun, GOOD, makeRun, type Scenario, underWay } from '../scenario.ts';
import { SHORT_BATCH } from './pipelines.ts';

const DUE = dueRun('keep');

/** Somebody cancels the run while `extract` is under way, for which the next one waits. */
export const CANCEL: Scenario = {
  name: 'cancel',
  programs: ['keep'],
  taskMs: 0,
  pipelines: SHORT_BATCH,
  script: () => (job) => (job.run === DUE && job.task === 'extract' ? undefined : GOOD(job)),
  meanwhile: async (world) => {
    const { client, namespace, until } = world;
    await underWay(world, 'extract');
    await makeRun(world, 'next');
    await until('the next one waits', async () => {
      const next = await client.get<RunObject>(RESOURCES.retentionRuns, `${namespace}/next`);
      return next?.status?.phase === 'Pending' ? true : undefined;
    });
    await client.patch(RESOURCES.retentionRuns, `${namespace}/${DUE}`, { spec: { cancel: true } });
  },
  ends: { [DUE]: 'Cancelled', next: 'Succeeded' },
  rules: { order: [[DUE, 'next']] },
};
