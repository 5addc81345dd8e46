import { rfc3339 } from '../../../base/instant.ts';
import { DAY_MS, dueRun, GOOD, makeRun, type Scenario, SLOT } from '../scenario.ts';
import { SHORT_BATCH } from './pipelines.ts';

const DAYS_AGO = [1, 2, 3];

const nameOf = (days: number) => `backfill-${days}`;

/** Somebody has asked for three slots of before, the newest first, when another slot is due. */
export const BACKFILL: Scenario = {
  name: 'backfill',
  programs: ['keep'],
  taskMs: 0,
  pipelines: SHORT_BATCH,
  script: () => GOOD,
  before: async (world) => {
    for (const days of DAYS_AGO) {
      const slot = rfc3339(new Date(SLOT.getTime() - days * DAY_MS));
      await makeRun(world, nameOf(days), { trigger: 'backfill', slot });
    }
  },
  ends: Object.fromEntries([dueRun('keep'), ...DAYS_AGO.map(nameOf)].map((name) => [name, 'Succeeded'])),
  // Which of them begins before the run of the slot is made, for which that then waits, depends on the moment.
  maySay: /^SlotWaiting of keep: /,
  rules: { order: [3, 2].map((days) => [nameOf(days), nameOf(days - 1)] as const) },
};
