import type { ColumnProfile } from './profile.ts';
import { shown } from './words.ts';

/** Words of a column that count as missing, as the file writes them, with the rows looked at that have them. */
export interface TakenAsMissing {
  readonly source: string;
  readonly words: Readonly<Record<string, number>>;
}

/** Words that some businesses use as a value: a plan called None, a channel called Unknown. */
const MAY_BE_VALUES = /^(none|nil|unknown|missing|undefined)$/i;
/** Share of the rows from which such a word is worth a warning. */
const NOT_RARE = 0.01;

/** What was taken as missing in each column, but for cells with nothing in them. */
export function takenAsMissing(profiles: readonly ColumnProfile[]): TakenAsMissing[] {
  return profiles.flatMap(({ name, missingWords }) =>
    missingWords.size === 0
      ? []
      : [
          {
            source: shown(name),
            words: Object.fromEntries(
              [...missingWords].sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1)),
            ),
          },
        ],
  );
}

/** Words that may be values of their own, in columns of few texts: a person has to know that they count as missing. */
export function doubtfulWords(profiles: readonly ColumnProfile[]): string[] {
  return profiles.flatMap(({ name, kind, values, rows, missingWords }) => {
    if (kind !== 'text' || values.length === 0) return [];
    return [...missingWords]
      .filter(([word, count]) => MAY_BE_VALUES.test(word) && count >= NOT_RARE * rows)
      .map(
        ([word, count]) =>
          `${shown(name)} says ${shown(word)} in ${count} of ${rows} rows looked at, which counts as missing. If it is a value of its ` +
          `own, as where a plan is called so, write it otherwise in the file: no ${shown(name)}, say.`,
      );
  });
}
