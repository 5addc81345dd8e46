/** Which days of a calendar a schedule means. Months are 1 to 12; weekdays are 0, Sunday, to 6, Saturday. */
export interface DayRule {
  /** Years it is limited to; absent for every year. */
  readonly years: ReadonlySet<number> | undefined;
  readonly months: ReadonlySet<number>;
  /** Days of the month; absent when any will do. */
  readonly monthDays: readonly MonthDay[];
  readonly weekdays: readonly Weekday[];
  /** Whether a day must satisfy both lists, or either: cron's oldest oddity. */
  readonly combine: 'both' | 'either';
}

export type MonthDay =
  | { readonly kind: 'day'; readonly day: number }
  | { readonly kind: 'last' }
  /** The weekday, Monday to Friday, that is nearest to a day, within its month. */
  | { readonly kind: 'nearest-weekday'; readonly day: number | 'last' };

export type Weekday =
  | { readonly kind: 'every'; readonly weekday: number }
  | { readonly kind: 'nth'; readonly weekday: number; readonly n: number }
  | { readonly kind: 'last'; readonly weekday: number };

/** Days of a month that a rule means, in order. */
export function daysOfMonth(rule: DayRule, year: number, month: number): number[] {
  if (!rule.months.has(month) || rule.years?.has(year) === false) return [];
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const weekdayOf = (day: number) => new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  const days: number[] = [];
  for (let day = 1; day <= length; day++) {
    const monthDay = rule.monthDays.some((item) => isMonthDay(item, day, length, weekdayOf));
    const weekday = rule.weekdays.some((item) => isWeekday(item, day, length, weekdayOf(day)));
    if (rule.combine === 'both' ? monthDay && weekday : monthDay || weekday) days.push(day);
  }
  return days;
}

function isMonthDay(item: MonthDay, day: number, length: number, weekdayOf: (day: number) => number): boolean {
  switch (item.kind) {
    case 'day':
      return item.day === day;
    case 'last':
      return day === length;
    case 'nearest-weekday': {
      const wanted = item.day === 'last' ? length : item.day;
      return wanted <= length && nearestWeekday(wanted, length, weekdayOf(wanted)) === day;
    }
  }
}

function nearestWeekday(day: number, length: number, weekday: number): number {
  if (weekday === 6) return day === 1 ? 3 : day - 1;
  if (weekday === 0) return day === length ? day - 2 : day + 1;
  return day;
}

function isWeekday(item: Weekday, day: number, length: number, weekday: number): boolean {
  if (item.weekday !== weekday) return false;
  if (item.kind === 'nth') return Math.ceil(day / 7) === item.n;
  return item.kind === 'every' || day + 7 > length;
}
