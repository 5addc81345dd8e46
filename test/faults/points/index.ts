import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Observed } from '../reference.ts';
import { JOB_DELETED, ONE_RUN } from '../scenarios/one-run.ts';
import { answerPoints } from './answers.ts';
import { apiServerPoints } from './api-server.ts';
import { decisiveEventPoints, eventPoints, everyEventPoints } from './events.ts';
import { halfOpenPoints } from './half-open.ts';
import { killPoints } from './kills.ts';
import { leaderPoints } from './leaders.ts';
import { scenarioPoints } from './scenarios.ts';
import { soakPoints } from './soak.ts';
import { stalePoints } from './stale.ts';

/** Every way in which things go wrong here. */
export function allPoints(observed: Observed, random: Random): readonly Point[] {
  const { writes, events, eventsOfDeletion } = observed;
  return [
    // The longest first.
    ...soakPoints(),
    ...killPoints(writes, random),
    ...eventPoints(events, ONE_RUN, random),
    ...eventPoints(eventsOfDeletion, JOB_DELETED, random),
    ...decisiveEventPoints(random),
    ...everyEventPoints(),
    ...stalePoints(writes, random),
    ...apiServerPoints(writes, random),
    ...halfOpenPoints(writes, random),
    ...leaderPoints(writes, random),
    ...answerPoints(writes, random),
    ...scenarioPoints(observed, random),
  ];
}
