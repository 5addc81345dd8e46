/** Figures as people read them: 10,000 · 3.2 s · 12,500 rows/s. */

const INTEGER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function integer(value: number): string {
  return INTEGER.format(value);
}

/** Duration of `seconds` with two significant digits below ten. */
export function duration(seconds: number): string {
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
}

/** A score to three digits behind the point, with more where it would look like one of these thresholds that it is not. */
export function scoreText(score: number, thresholds: readonly number[]): string {
  for (let digits = 3; digits < 16; digits++) {
    const text = score.toFixed(digits);
    if (!thresholds.some((threshold) => threshold !== score && Number(text) === threshold)) return text;
  }
  return String(score);
}

/** Rows a second, to three significant digits; empty when there is nothing to divide by. */
export function rate(rows: number, seconds: number): string {
  if (rows === 0 || seconds <= 0) return '';
  return `${integer(Number((rows / seconds).toPrecision(3)))} rows/s`;
}

/** A bar for one share of the largest, at most `width` characters and at least one for what is not zero. */
export function bar(value: number, largest: number, width: number): string {
  if (value <= 0 || largest <= 0) return '';
  return '▇'.repeat(Math.max(1, Math.round((value / largest) * width)));
}

/** Size of `count` bytes in the largest decimal unit that it fills. */
export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? integer(value) : value.toFixed(1)} ${units[power]}`;
}
