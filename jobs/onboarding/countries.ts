/** Codes of ISO 3166 that are in use, by their English names in lower case. */
function codesByName(): Map<string, string> {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
  const codes = new Map<string, string>();
  for (const first of letters) {
    for (const second of letters) {
      const code = first + second;
      const name = names.of(code);
      // Codes that were given up have the name of their successor; the first in the alphabet need not be it.
      if (name === undefined || new Intl.Locale(`und-${code}`).region !== code || code === 'ZZ') continue;
      codes.set(name.toLowerCase(), code);
      codes.set(code.toLowerCase(), code);
    }
  }
  for (const [name, code] of OTHER_NAMES) codes.set(name, code);
  return codes;
}

const OTHER_NAMES: readonly (readonly [string, string])[] = [
  ['usa', 'US'],
  ['united states of america', 'US'],
  ['uk', 'UK'],
  ['great britain', 'GB'],
  ['england', 'GB'],
  ['deutschland', 'DE'],
];

/** Codes of the countries that texts name; undefined when one of them is none. */
export function countryCodes(texts: readonly string[]): Map<string, string> | undefined {
  const known = codesByName();
  const codes = new Map<string, string>();
  for (const text of texts) {
    const code = known.get(text.toLowerCase());
    if (code === undefined) return undefined;
    codes.set(text, code);
  }
  return codes;
}
