/** A share of customers as people say it: one decimal, two below one percent, and never 0 or 100 for what is near it. */
export function shareInWords(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.01) return 'under 0.01 %';
  if (percent < 100 && percent > 99.9) return 'over 99.9 %';
  return `${Number(percent.toFixed(percent < 1 ? 2 : 1))} %`;
}
