/** One field of a schedule: figures, names and the signs of either dialect. */
const FIELD = '[0-9A-Za-z*,/#?-]+';

/**
 * What a schedule looks like: five fields, or `cron(…)` around six. Whether it means something is for
 * jobs/schedules to say; the API server can only refuse what is plainly something else.
 */
export const SCHEDULE = {
  pattern: `^(cron\\( *${FIELD}( +${FIELD}){5} *\\)|${FIELD}( +${FIELD}){4})$`,
  meaning: 'five-field cron such as "0 2 * * MON", or AWS "cron(0 2 ? * MON *)"',
  maxLength: 128,
} as const;
