import { inEnglish } from './foreign-names.ts';

/**
 * A column's name as lower-case words of English: `LastLoginDate`, `last_login_date`, `Letzte Anmeldung` and `dernière
 * connexion` are the same.
 */
export function wordsOf(name: string): string {
  return inEnglish(ownWords(name));
}

/** The same in the language of the name. */
function ownWords(name: string): string {
  return name
    .normalize('NFKC')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replaceAll(/[^\p{L}\p{N}%]+/gu, ' ')
    .replaceAll('%', ' percent ')
    .replaceAll(/ +/g, ' ')
    .trim()
    .toLowerCase();
}

/** A name for a feature: lower-case letters, digits and underscores, at most `longest` of them. */
export function slug(name: string, longest = 63): string {
  const plain = ownWords(name.slice(0, 400))
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, longest)
    .replace(/_+$/, '');
  return plain === '' ? 'column' : plain;
}

const LONGEST_SHOWN = 60;

/** A text of a stranger's file for a person's eyes: one line, nothing that a terminal or a comment could obey. */
export function shown(text: string): string {
  const characters = Array.from(text.slice(0, 4 * LONGEST_SHOWN));
  const cut = characters.length > LONGEST_SHOWN ? [...characters.slice(0, LONGEST_SHOWN - 1), '…'] : characters;
  return cut
    .join('')
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
}

/** Words that mean yes and no, in the order in which they are looked up. */
export const YES: readonly string[] = ['1', 'true', 't', 'yes', 'y', 'ja', 'j', 'oui', 'si', 'on'];
const NO = ['0', 'false', 'f', 'no', 'n', 'nein', 'non', 'off'];

/** Whether a text means yes or no; undefined when it means neither. */
export function truthOf(text: string): boolean | undefined {
  // pandas writes a flag with a gap as 1.0, and the churn data of the UCI end in a point.
  const word = text
    .trim()
    .toLowerCase()
    .replace(/^([01])[.,]0+$/, '$1')
    .replace(/\.$/, '');
  if (YES.includes(word)) return true;
  return NO.includes(word) ? false : undefined;
}
