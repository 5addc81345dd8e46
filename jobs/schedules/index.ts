export { LONGEST_SCHEDULE, SCHEDULE_PATTERN } from './parse.ts';
export { parseSchedule, scheduleFault } from './schedule.ts';
