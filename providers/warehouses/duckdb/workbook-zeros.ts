/** Number formats that fill a number up with zeros, such as `000000` for an account or a postcode. */
const FILLED_UP = /^0{2,}$/;
const NUMBER_FORMAT = /<(?:\w+:)?numFmt\s([^>]*)>/g;
const CELL_FORMATS = /<((?:\w+:)?cellXfs)\b[^>]*>(.*?)<\/\1>/s;
const CELL_FORMAT = /<(?:\w+:)?xf\b([^>]*)>/g;
/** A whole number, without a type or with that of a number. */
const CELL = /<((?:\w+:)?)c\b([^>]*)><(?:\w+:)?v>(\d+)<\/(?:\w+:)?v><\/(?:\w+:)?c>/g;

/**
 * Rewrites a sheet so that whole numbers whose format fills them up with zeros are texts, as they are shown: as a number,
 * account 000123 is 123, which no other file calls it. Undefined where the workbook has no such format.
 * @param styles `xl/styles.xml` of the workbook (ECMA-376, part 1, 18.8)
 */
export function leadingZeros(styles: string): ((sheet: string) => string) | undefined {
  const digits = digitsByFormat(styles);
  if (digits.size === 0) return undefined;
  return (sheet) =>
    sheet.replaceAll(CELL, (cell, prefix: string, attributes: string, number: string) => {
      const wanted = digits.get(attribute(attributes, 's') ?? '');
      if (wanted === undefined || number.length >= wanted || (attribute(attributes, 't') ?? 'n') !== 'n') return cell;
      const others = attributes.replace(/\st="n"/, '');
      const text = number.padStart(wanted, '0');
      return `<${prefix}c${others} t="inlineStr"><${prefix}is><${prefix}t>${text}</${prefix}t></${prefix}is></${prefix}c>`;
    });
}

/** Least digits of a cell by the number of its format. */
function digitsByFormat(styles: string): ReadonlyMap<string, number> {
  const filled = new Map<string, number>();
  for (const [, attributes = ''] of styles.matchAll(NUMBER_FORMAT)) {
    const [id, code] = [attribute(attributes, 'numFmtId'), attribute(attributes, 'formatCode')];
    if (id !== undefined && code !== undefined && FILLED_UP.test(code)) filled.set(id, code.length);
  }
  const formats = [...(CELL_FORMATS.exec(styles)?.[2] ?? '').matchAll(CELL_FORMAT)];
  return new Map(
    formats.flatMap(([, attributes = ''], index) => {
      const digits = filled.get(attribute(attributes, 'numFmtId') ?? '');
      return digits === undefined ? [] : [[String(index), digits] as const];
    }),
  );
}

function attribute(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
}
