/** What a terminal acts on rather than shows: C0, DEL, C1, line separators, and what turns the direction of text. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/** A text as it can be shown on one line of any terminal: what would not show is written as its code point. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A word that a shell takes as it is, whatever a file or a customer is called, and that fits on one line. */
export function forShell(word: string): string {
  // zsh takes a word that begins with = for the path of a command.
  if (/^[\w@%+:,./][\w@%+=:,./-]*$/.test(word)) return word;
  if (printable(word) === word) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${printable(word.replaceAll(/['\\]/g, String.raw`\$&`))}'`;
}

/** A path as a word of a command: one that begins with a hyphen would be an option. */
export function pathForShell(path: string): string {
  return forShell(path.startsWith('-') ? `./${path}` : path);
}

/** The beginning of a text, with an ellipsis where it goes on; a character is whole or not there. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`;
}
