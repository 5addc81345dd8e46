import type { Scenario } from '../scenario.ts';
import { BACKFILL } from './backfill.ts';
import { CANCEL } from './cancel.ts';
import { CAP } from './cap.ts';

/** Scenarios of several runs, each of which is looked at undisturbed first. */
export const SEVERAL_RUNS: readonly Scenario[] = [CANCEL, BACKFILL, CAP];
