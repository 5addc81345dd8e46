export { scheduleEnd } from './end.ts';
export { LONGEST_SCHEDULE, SCHEDULE_PATTERN } from './parse.ts';
export { parseSchedule, type Schedule, scheduleFault } from './schedule.ts';
