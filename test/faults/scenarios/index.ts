import type { Scenario } from '../scenario.ts';
import { BACKFILL } from './backfill.ts';
import { CAMPAIGN_BESIDE, CAMPAIGN_WITH_BATCH, REPORT_BESIDE, WAITING_CAMPAIGN } from './campaign.ts';
import { CANCEL } from './cancel.ts';
import { CAP } from './cap.ts';
import { DEADLINE } from './deadline.ts';
import { REPLACE } from './replace.ts';
import { RETRY, RETRY_UNTOLD } from './retry.ts';

/** Scenarios of several runs, each of which is looked at undisturbed first. */
export const SEVERAL_RUNS: readonly Scenario[] = [
  WAITING_CAMPAIGN,
  CAMPAIGN_BESIDE,
  CAMPAIGN_WITH_BATCH,
  REPORT_BESIDE,
  RETRY,
  RETRY_UNTOLD,
  DEADLINE,
  CANCEL,
  BACKFILL,
  REPLACE,
  CAP,
];
