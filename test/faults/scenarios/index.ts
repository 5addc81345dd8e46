import type { Scenario } from '../scenario.ts';
import { CANCEL } from './cancel.ts';

/** Scenarios of several runs, each of which is looked at undisturbed first. */
export const SEVERAL_RUNS: readonly Scenario[] = [CANCEL];
