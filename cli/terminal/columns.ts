import { printable } from '../../base/text/printable.ts';

/** Rows below a heading in columns, as kubectl prints them: three blanks apart, nothing behind the last. */
export function inColumns(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows].map((row) => row.map(printable));
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('   '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A span of time as kubectl tells ages: `45s`, `5m30s`, `17m`, `3h5m`, `26h`, `3d4h`, `12d`, `2y`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const whole = (unit: number) => Math.floor(seconds / unit);
  const both = (unit: number, name: string, smaller: number, smallerName: string) => {
    const rest = Math.floor((seconds % unit) / smaller);
    return `${whole(unit)}${name}${rest === 0 ? '' : `${rest}${smallerName}`}`;
  };
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return both(MINUTE, 'm', 1, 's');
  if (seconds < 3 * HOUR) return `${whole(MINUTE)}m`;
  if (seconds < 8 * HOUR) return both(HOUR, 'h', MINUTE, 'm');
  if (seconds < 2 * DAY) return `${whole(HOUR)}h`;
  if (seconds < 8 * DAY) return both(DAY, 'd', HOUR, 'h');
  return seconds < 2 * YEAR ? `${whole(DAY)}d` : `${whole(YEAR)}y`;
}

/** A short run by tenths of a second, which kubectl's ages do not tell. */
export function took(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)}s` : age(seconds * 1000);
}
