/** What each suffix of a quantity multiplies by. */
const SUFFIXES: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** A quantity as Kubernetes writes it, such as `500m`, 2 or `2Gi`. */
export const QUANTITY = `^[0-9]{1,15}(\\.[0-9]{1,3})?(${Object.keys(SUFFIXES).filter(Boolean).join('|')})?$`;

/** How much a quantity is, of which the pattern above is known: in bytes, or processors. */
export function amountOf(quantity: string | number): number {
  const [, digits = '', suffix = ''] = /^([0-9.]+)(.*)$/.exec(String(quantity)) ?? [];
  return Number(digits) * (SUFFIXES[suffix] ?? Number.NaN);
}
