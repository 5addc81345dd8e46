export { parseSchedule } from './schedule.ts';
