import { LONGEST_SCHEDULE, SCHEDULE_PATTERN } from '../base/schedules/index.ts';

/**
 * The form of a schedule, which is all that the API server can check. Whether it means something is for
 * base/schedules to say.
 */
export const SCHEDULE = {
  pattern: SCHEDULE_PATTERN,
  meaning: 'a schedule',
  maxLength: LONGEST_SCHEDULE,
} as const;
