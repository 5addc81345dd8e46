import { RESOURCES } from '../../../operator/kube/api.ts';
import type { RunObject } from '../../../operator/kube/objects.ts';
import { buildRun } from '../../../operator/objects/run.ts';
import { dueRun, GOOD, type Scenario, SLOT_BEFORE, slotRun, underWay } from '../scenario.ts';
import { SHORT_BATCH } from './pipelines.ts';

const OLDER = slotRun('keep', SLOT_BEFORE);

/** The run of the slot before hangs; the one that is due waits for it, until somebody says that it is to take its place. */
export const REPLACE: Scenario = {
  name: 'replace',
  programs: ['keep'],
  taskMs: 0,
  pipelines: SHORT_BATCH,
  script: () => (job) => (job.run === OLDER && job.task === 'extract' ? undefined : GOOD(job)),
  before: async ({ client }, program) => {
    await client.create<RunObject>(RESOURCES.retentionRuns, buildRun(program, SLOT_BEFORE) as RunObject);
  },
  meanwhile: async (world) => {
    await underWay(world, 'extract');
    await world.client.patch(RESOURCES.retentionPrograms, `${world.namespace}/keep`, {
      spec: { concurrencyPolicy: 'Replace' },
    });
  },
  ends: { [OLDER]: 'Replaced', [dueRun('keep')]: 'Succeeded' },
  rules: { order: [[OLDER, dueRun('keep')]] },
};
