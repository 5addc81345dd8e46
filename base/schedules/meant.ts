/** Whether a text is a schedule, so that no suggestion is refused in its turn. */
export type Reads = (text: string) => boolean;

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * SUN',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Says what is wrong with a text that has not the form of a schedule, and what was probably meant. */
export function whatIsMeant(text: string, reads: Reads): string {
  const tidy = text.trim().replaceAll(/\s+/g, ' ');
  const [, zone, rest = ''] = /^(?:CRON_)?TZ=(\S*) ?(.*)$/.exec(tidy) ?? [];
  if (zone !== undefined) return `write the zone into timeZone: ${zone}${reads(rest) ? `, and here "${rest}"` : ''}`;
  if (tidy !== text && reads(tidy)) return `there is ${blankOf(text)}: write "${tidy}"`;
  const macro = tidy.toLowerCase().replace(/^(?!@)/, '@');
  if (Object.hasOwn(MACROS, macro)) return `"${tidy}" is not supported; write "${MACROS[macro]}"`;
  if (tidy.startsWith('@')) return `"${tidy}" is not supported; use cron, such as "0 2 * * MON"`;
  if (tidy.startsWith('rate(')) return `rate(…) has no place in the calendar; ${calendarRate(tidy)}`;
  if (tidy.startsWith('at(')) return 'at(…) is once: make a RetentionRun with that slot, and give here when it repeats';
  const inner = /^cron *\((.*)$/i.exec(tidy)?.[1]?.replace(/\)$/, '').trim();
  if (inner === undefined) return meantByFields(tidy.split(' '), reads);
  if (reads(`cron(${inner})`)) return `it is written in small letters and closed: "cron(${inner})"`;
  return meantWithin(inner.split(' '), reads);
}

/** Of six fields of AWS of which the last is no year: that they begin with seconds, as in Quartz, if they do. */
export function secondsOfQuartz(fields: readonly string[], reads: Reads): string | undefined {
  const meant = aws([...fields.slice(1), '*']);
  return reads(meant) ? `there are seconds in front: ${meant} is meant` : undefined;
}

/** Six fields as AWS writes them: one of the two fields of days is ?. */
export function aws(fields: readonly string[]): string {
  const [minute, hour, dayOfMonth, month, dayOfWeek, ...year] = fields;
  const days =
    dayOfMonth === '?' && dayOfWeek === '?'
      ? ['*', month, '?']
      : dayOfMonth !== '?' && dayOfWeek === '*'
        ? [dayOfMonth, month, '?']
        : dayOfMonth === '*' && dayOfWeek !== '?'
          ? ['?', month, dayOfWeek]
          : [dayOfMonth, month, dayOfWeek];
  return `cron(${[minute, hour, ...days, ...year].join(' ')})`;
}

function meantByFields(fields: readonly string[], reads: Reads): string {
  const wrong = `${count(fields)} where five are needed`;
  const behind = fields.slice(1);
  const bare = behind.join(' ');
  // Quartz counts weekdays from 1, as AWS does and cron does not.
  const inQuartz = fields.includes('?') && /[0-9]/.test(behind[4] ?? '');
  const withoutSeconds = behind.length === 6 ? aws(behind) : inQuartz ? aws([...behind, '*']) : bare;
  if (reads(withoutSeconds)) return `${wrong}; there are seconds in front: ${withoutSeconds} is meant`;
  if (reads(aws(fields))) return `${wrong}; an AWS schedule is written "${aws(fields)}"`;
  const withoutYear = fields.slice(0, 5).join(' ');
  if (fields.length === 6 && reads(withoutYear)) return `${wrong}; there is a year behind: ${withoutYear} is meant`;
  const foreign = fields.length === 5 ? /[^0-9A-Za-z*,/#?-]/u.exec(fields.join(''))?.[0] : undefined;
  if (foreign !== undefined) return `"${foreign}" has no meaning in it; write figures, English names and * , - / # ?`;
  return `${wrong}: five-field cron is minute hour day-of-month month day-of-week, such as "0 2 * * MON"`;
}

function meantWithin(fields: readonly string[], reads: Reads): string {
  const wrong = `${count(fields)} in cron(…) where six are needed: minute hour day-of-month month day-of-week year`;
  const withYear = aws([...fields, '*']);
  if (reads(withYear)) return `${wrong}; probably "${withYear}" is meant`;
  const withoutSeconds = aws(fields.slice(1));
  if (reads(withoutSeconds)) return `${wrong}; there are seconds in front: ${withoutSeconds} is meant`;
  return wrong;
}

const RATES: Readonly<Record<string, readonly [number, (every: number) => string]>> = {
  minute: [60, (every) => (every === 1 ? '* * * * *' : `*/${every} * * * *`)],
  hour: [24, (every) => (every === 1 ? '0 * * * *' : `0 */${every} * * *`)],
  day: [1, () => '0 0 * * *'],
};

function calendarRate(text: string): string {
  const [, figure = '', unit = ''] = /^rate\(([0-9]{1,4}) (minute|hour|day)s?\)$/.exec(text) ?? [];
  const every = Number(figure);
  if (unit === 'day' && every === 7) return 'write "0 0 * * SUN"';
  const [whole, written] = RATES[unit] ?? [0, () => ''];
  return every > 0 && whole % every === 0 && every < Math.max(whole, 2)
    ? `write "${written(every)}"`
    : 'use cron, such as "0 2 * * MON"';
}

function blankOf(text: string): string {
  const blanks = [...text.matchAll(/\s+/g)].map(([blank]) => blank).filter((blank) => !/^ +$/.test(blank));
  const [, first = '', last = ''] = /^(\s*).*?(\s*)$/s.exec(text) ?? [];
  const what = blanks.some((blank) => /[\r\n]/.test(blank)) ? 'a line end' : blanks.length > 0 ? 'a tab' : 'a blank';
  return `${what} ${last !== '' ? 'behind it' : first !== '' ? 'in front of it' : 'between its fields'}`;
}

function count(fields: readonly string[]): string {
  const filled = fields.filter((field) => field !== '').length;
  return filled === 1 ? 'one field' : `${filled === 0 ? 'no' : filled} fields`;
}
