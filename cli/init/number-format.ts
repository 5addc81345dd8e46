/** How the numbers of a column of text are written. */
export interface NumberFormat {
  /** What is before the decimals. */
  readonly decimal: 'point' | 'comma';
  /**
   * `plain`: 1234.5 or 1e3. `grouped`: thousands may be set apart, as in 1.234,5 or 1'234. `dressed`: with a currency,
   * a percent sign, the parentheses or the trailing minus of accountants, or the equals sign of a spreadsheet as well.
   */
  readonly style: 'plain' | 'grouped' | 'dressed';
  /** Of `dressed`: the currency, or percent sign, that its numbers have; no other fits. */
  readonly unit?: string;
}

export const PLAIN: NumberFormat = { decimal: 'point', style: 'plain' };

/** A number as it would be written. */
export function exampleNumber({ decimal, style, unit = '' }: NumberFormat): string {
  if (style === 'plain') return '1234.5';
  if (unit === '%') return decimal === 'point' ? '12.5%' : '12,5%';
  return `${unit}${/^[A-Z]/.test(unit) ? ' ' : ''}${decimal === 'point' ? '1,234.5' : '1.234,5'}`;
}

/** Currencies, each with its code and the signs for it. */
const CURRENCIES: readonly (readonly string[])[] = [
  ['EUR', '€'],
  ['USD', 'US$', '$'],
  ['GBP', '£'],
  ['JPY', '¥'],
  ['INR', '₹'],
  ['CHF', 'SFr.', 'Fr.'],
  ['SEK'],
  ['NOK'],
  ['DKK'],
  ['PLN', 'zł'],
  ['CZK', 'Kč'],
  ['HUF', 'Ft'],
  ['BRL', 'R$'],
  ...['CNY', 'AUD', 'CAD', 'NZD', 'RON', 'BGN', 'TRY', 'MXN', 'ZAR', 'SGD', 'HKD', 'KRW'].map((code) => [code]),
];

const PERCENT = '%';

/** Regular expression of one of these signs. */
function oneOf(signs: readonly string[]): string {
  return `(${signs.map((sign) => sign.replaceAll(/[$.]/g, '[$&]')).join('|')})`;
}

const CURRENCY = oneOf(CURRENCIES.flat());
/** Currencies and the percent sign, of which a column may have one. */
export const UNIT = `(${CURRENCY}|${PERCENT})`;

/** The signs for the same currency as this one. */
export function signsOf(unit: string): readonly string[] {
  return CURRENCIES.find((signs) => signs.includes(unit)) ?? [unit];
}

/** A blank, or one that does not break. */
const BLANK = '[ \\u00a0\\u202f]?';

/**
 * Regular expression that a text of this format matches; `\u00a0` stands for the character, which each dialect writes
 * in its own way.
 */
export function shapeOfNumber({ decimal, style, unit }: NumberFormat): string {
  if (style === 'plain') return '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$';
  const [mark, group] = decimal === 'point' ? ['[.]', ','] : [',', '.'];
  const thousands = `[1-9][0-9]{0,2}([${group}'’ \\u00a0\\u202f][0-9]{3})+`;
  const indian = decimal === 'point' ? '|[1-9][0-9]?(,[0-9]{2})+,[0-9]{3}' : '';
  const number = `(${thousands}${indian}|[0-9]+)(${mark}[0-9]+)?`;
  if (style === 'grouped') return `^[+-]?${number}$`;
  const currency = unit === undefined ? CURRENCY : oneOf(signsOf(unit));
  // A number is a hundredth only where its percent sign says so.
  const [before, after] =
    unit === PERCENT
      ? ['', `${BLANK}${PERCENT}`]
      : [`(${currency}${BLANK})?`, `(${BLANK}${unit === undefined ? UNIT : currency})?`];
  const signed = `[+-]?${before}[+-]?${number}${after}`;
  return `^(="?)?(${signed}|[(]${before}${number}${after}[)]|${number}-${after})"?$`;
}
