/** How the numbers of a column of text are written. */
export interface NumberFormat {
  /** What is before the decimals. */
  readonly decimal: 'point' | 'comma';
  /**
   * `plain`: 1234.5 or 1e3. `grouped`: thousands may be set apart, as in 1.234,5 or 1'234. `dressed`: with a currency,
   * a percent sign, the parentheses or the trailing minus of accountants, or the equals sign of a spreadsheet as well.
   */
  readonly style: 'plain' | 'grouped' | 'dressed';
}

export const PLAIN: NumberFormat = { decimal: 'point', style: 'plain' };

/** A number as it would be written. */
export function exampleNumber({ decimal, style }: NumberFormat): string {
  if (style === 'plain') return '1234.5';
  return decimal === 'point' ? '1,234.5' : '1.234,5';
}

const CURRENCY =
  '(USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|BRL|MXN|ZAR|SGD|HKD|KRW|[$€£¥₹])';
/** Currencies and the percent sign, of which a column may have one. */
export const UNIT = `(${CURRENCY}|%)`;

/** A blank, or one that does not break. */
const BLANK = '[ \\u00a0\\u202f]?';

/**
 * Regular expression that a text of this format matches; `\u00a0` stands for the character, which each dialect writes
 * in its own way.
 */
export function shapeOfNumber({ decimal, style }: NumberFormat): string {
  if (style === 'plain') return '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$';
  const [mark, group] = decimal === 'point' ? ['[.]', ','] : [',', '.'];
  const thousands = `[1-9][0-9]{0,2}([${group}'’ \\u00a0\\u202f][0-9]{3})+`;
  const indian = decimal === 'point' ? '|[1-9][0-9]?(,[0-9]{2})+,[0-9]{3}' : '';
  const number = `(${thousands}${indian}|[0-9]+)(${mark}[0-9]+)?`;
  if (style === 'grouped') return `^[+-]?${number}$`;
  const before = `(${CURRENCY}${BLANK})?`;
  const after = `(${BLANK}${UNIT})?`;
  const signed = `[+-]?${before}[+-]?${number}${after}`;
  return `^(="?)?(${signed}|[(]${before}${number}${after}[)]|${number}-${after})"?$`;
}
