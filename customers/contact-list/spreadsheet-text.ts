/** What a spreadsheet takes for the beginning of a formula, its full-width and small forms too. */
const TRIGGER = '=+\\-@\\u2212\\uff1d\\uff0b\\uff0d\\uff20\\ufe66\\ufe62\\ufe63\\ufe6b';
const BEGINS = new RegExp(`^(?:[\\t\\r\\n\\0]|[\\s\\0]*[${TRIGGER}])`, 'u');
/** Read with another separator, a cell may begin within a text. */
const BEGINS_WITHIN = new RegExp(`([;\\t\\r\\n][\\s"]*)(?=[${TRIGGER}])`, 'gu');
/** A number does nothing, wherever it is read: an id such as -12 stays what it is. */
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;

/**
 * A text that no spreadsheet runs: where it begins as a formula does, at its start or after what some spreadsheets take
 * for a separator, an apostrophe comes before, by which they know a text (OWASP, "CSV Injection").
 */
export function spreadsheetText(text: string): string {
  if (NUMBER.test(text)) return text;
  const within = text.replaceAll(BEGINS_WITHIN, "$1'");
  return BEGINS.test(within) ? `'${within}` : within;
}
