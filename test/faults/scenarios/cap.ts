import { dueRun, GOOD, type Scenario } from '../scenario.ts';
import { SHORT_BATCH } from './pipelines.ts';

const THREE = ['keep-a', 'keep-b', 'keep-c'];

/** Two runs may be at work at once, and a slot of three programs is due. */
export const CAP: Scenario = {
  name: 'cap',
  programs: THREE,
  taskMs: 0,
  pipelines: SHORT_BATCH,
  maxRuns: 2,
  script: () => GOOD,
  ends: Object.fromEntries(THREE.map((name) => [dueRun(name), 'Succeeded'])),
  rules: { mostRuns: 2 },
};
