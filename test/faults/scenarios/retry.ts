import { RESOURCES } from '../../../operator/kube/api.ts';
import type { RunObject } from '../../../operator/kube/objects.ts';
import type { Script } from '../../cluster/scripted-kubelet.ts';
import { GOOD, makeRun, type Scenario } from '../scenario.ts';
import { BATCH, CAMPAIGN, WAITING_CAMPAIGN } from './campaign.ts';

/** An exit status that says that trying again is no use. */
const TERMINAL = 78;

/** The batch fails at its last stage; of that which takes it up, the first task says what is reused of it. */
function failing(reused: readonly string[] | undefined): Script {
  return (job) => {
    if (job.run === BATCH && job.task === 'store') {
      return { exitCode: TERMINAL, message: { error: { code: 'HF_DISK_FULL', message: 'the disk is full' } } };
    }
    return job.run === 'retry' && job.task === 'migrate' && reused !== undefined
      ? { exitCode: 0, message: { reused } }
      : GOOD(job);
  };
}

/** The batch fails, somebody has it taken up again, and the campaign begins once that has succeeded. */
export const RETRY: Scenario = {
  ...WAITING_CAMPAIGN,
  name: 'retry',
  script: () => failing(['extract']),
  meanwhile: async (world) => {
    const { client, namespace, until } = world;
    const { uid } = await until('the batch has failed', async () => {
      const batch = await client.get<RunObject>(RESOURCES.retentionRuns, `${namespace}/${BATCH}`);
      return batch?.status?.phase === 'Failed' ? batch.metadata : undefined;
    });
    await makeRun(world, 'retry', { trigger: 'retry', retryOf: { name: BATCH, uid } });
  },
  ends: { [BATCH]: 'Failed', retry: 'Succeeded', [CAMPAIGN]: 'Succeeded' },
  rules: {
    order: [
      [BATCH, 'retry'],
      ['retry', CAMPAIGN],
    ],
  },
};

/** The same, and nobody hears what is reused: every task is begun, and finds out by itself. */
export const RETRY_UNTOLD: Scenario = { ...RETRY, name: 'retry, untold', script: () => failing(undefined) };
