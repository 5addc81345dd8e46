import { LONGEST_SCHEDULE, SCHEDULE_PATTERN } from '../jobs/schedules/index.ts';

/**
 * The form of a schedule, which is all that the API server can check. Whether it means something is for
 * jobs/schedules to say.
 */
export const SCHEDULE = {
  pattern: SCHEDULE_PATTERN,
  meaning: 'a schedule',
  maxLength: LONGEST_SCHEDULE,
} as const;
