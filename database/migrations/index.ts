import { initial } from './0001-initial.ts';
import { runOwner } from './0002-run-owner.ts';
import { viewComments } from './0003-view-comments.ts';
import { prunedRuns } from './0004-pruned-runs.ts';
import { scoreCache } from './0005-score-cache.ts';
import { currentChanges } from './0006-current-changes.ts';
import { outreachView } from './0007-outreach-view.ts';
import { outreachOffers } from './0008-outreach-offers.ts';
import { discardedRuns } from './0009-discarded-runs.ts';
import { runSeconds } from './0010-run-seconds.ts';
import { riskReasons } from './0011-risk-reasons.ts';
import { columnComments } from './0012-column-comments.ts';
import { retriedRuns } from './0013-retried-runs.ts';
import { runWarnings } from './0014-run-warnings.ts';
import type { Migration } from './migration.ts';

/** Every migration, in order. Adding one is a file here and a line in this list. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  runOwner,
  viewComments,
  prunedRuns,
  scoreCache,
  currentChanges,
  outreachView,
  outreachOffers,
  discardedRuns,
  runSeconds,
  riskReasons,
  columnComments,
  retriedRuns,
  runWarnings,
];
