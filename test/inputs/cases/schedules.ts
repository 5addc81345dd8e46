import { parseSchedule } from '../../../base/schedules/index.ts';
import { type Case, ends, first, unless } from '../trial.ts';

const REMEDIES: Readonly<Record<string, RegExp | undefined>> = {
  bare: /quotes/,
  folded: undefined,
  'fri-mon': /FRI,SAT,SUN,MON/,
  'l-3': /\b27\b/,
  lundi: /LUNDI/,
  'nov-feb': /NOV,DEC,JAN,FEB/,
  quartz: /seconds/,
  'quartz-aws': /seconds/,
  weekly: /0 0 \* \* SUN/,
};

export const SCHEDULES: readonly Case[] = [
  {
    input: '21',
    right: 'hourly schedules go on through the repeated hour of autumn',
    check: async () => {
      const slots = (schedule: string, from: string) =>
        parseSchedule(schedule, 'America/Los_Angeles')
          .between(new Date(from), new Date('2026-11-02'), 6)
          .map((slot) => slot.toISOString().slice(11, 16))
          .join(' ');
      return first(
        unless(slots('0 * * * *', '2026-11-01T07:59:00Z').startsWith('08:00 09:00 10:00'), 'every hour pauses'),
        unless(slots('*/15 * * * *', '2026-11-01T08:30:00Z').startsWith('08:45 09:00 09:15'), 'every quarter pauses'),
        unless(slots('30 1 * * *', '2026-11-01T07:59:00Z') === '08:30', 'a fixed time runs twice'),
      );
    },
  },
  {
    input: '22',
    right: 'a schedule that is over is said, by validate and by run',
    async check(trial) {
      const validated = await trial.holdfast(['validate', 'over.yaml']);
      const run = await trial.holdfast(['run', 'over.yaml', '--data', 'd']);
      return first(
        ends(validated, [0, 78], /2023-12-29/),
        ends(run, [0, 78], /over|last fired|never again|2023-12-29.*last/),
      );
    },
  },
  ...Object.entries(REMEDIES).map(
    ([name, remedy]): Case => ({
      input: '23',
      right: `${name}: ${remedy === undefined ? 'taken, or refused with its fault' : 'refused with what to write instead'}`,
      async check(trial) {
        const validated = await trial.holdfast(['validate', `${name}.yaml`]);
        const general = /five-field cron such as/.test(validated.said);
        if (remedy === undefined) {
          return validated.status === 0 ? undefined : first(ends(validated, 78, /line end|blank|trailing|white/i));
        }
        return first(
          ends(validated, 78, remedy),
          unless(!general || remedy.test(validated.said), 'the general sentence stands alone'),
        );
      },
    }),
  ),
  ...Object.entries({ 'cron-tz': /timeZone: Europe\/Berlin/, tz: /timeZone: UTC/ }).map(
    ([name, remedy]): Case => ({
      input: '24',
      right: `${name}: the zone goes into timeZone`,
      check: async (trial) => ends(await trial.holdfast(['validate', `${name}.yaml`]), 78, remedy),
    }),
  ),
];
