/** Figures and instants as people read them. */

const INTEGER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const SHARE = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

export function integer(value: number): string {
  return INTEGER.format(value);
}

/** Part of a whole in per cent; empty when there is no whole. */
export function share(part: number, whole: number): string {
  return whole > 0 ? SHARE.format(part / whole) : '';
}

export function instant(at: Date): string {
  return `${DAY.format(at)} UTC`;
}

export function seconds(value: number): string {
  if (value >= 60) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${value.toFixed(value < 1 ? 2 : 1)} s`;
}

/** `customer-value` and `personal_call` as a person would begin a line with them. */
export function label(name: string): string {
  const words = name.replaceAll(/[-_]/g, ' ');
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
