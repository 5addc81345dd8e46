/** What a run may warn of; each with what it means, of which the table in docs/errors.md is made. */
export const WARNING_CODES = {
  MANIFEST: 'The manifest is valid, and something in it most likely not meant, such as a schedule that is over.',
  MANIFEST_CHANGED: 'A retry did what its run was pinned to, and the manifest has changed since, or cannot be read.',
  SOURCE_COLUMN_ABSENT: 'The source lacks a column of `optionalColumns`, and the query did without.',
  SOURCE_TYPE_CHANGED: 'A column that the query reads is of another kind than in the batch before.',
  SOURCE_VALUE_BEYOND_TYPE: 'Times that no type here holds are missing.',
  SOURCE_DOUBTFUL:
    'The query says in `warned_because` what is odd, such as purchases that are there twice, or begin on another day.',
  SOURCE_TOTAL: 'The id of a customer names a total, as the line of sums below a table does.',
  SOURCE_AS_OF_NOW:
    'A run of a slot that is no longer the newest read a source that only knows of now, whatever began the run.',
  SOURCE_UNCHANGED: 'Every customer reads as in the batch before: the export may not have been written anew.',
  IDS_UNKNOWN:
    'Hardly any customer of earlier batches is there: ids may be written otherwise, and caps do not hold then.',
  COLUMN_MISSING_IN_ROWS: 'A column that a filter or a model reads is missing in nearly every row.',
  OUTSIDE_MARKETPLACES: 'Rows have no marketplace, or none that the program lists.',
  COLUMN_REPLACED: 'The query gives a column that the scores or the decisions replace.',
  MODEL_NOT_CALIBRATED: 'The thresholds of `riskLevels` do not mean probabilities.',
  SCORES_ALL_ONE: 'Every customer has the same score, so that the model tells nobody from anybody.',
  NO_OFFER_MODEL: 'No model recommends which kind of offer works.',
  NO_REASONS: 'The model cannot be explained, such as a remote one, so the list has no reasons of it.',
  SCORE_CACHE_UNUSED: 'Remote models were asked about every row.',
  EXPIRED_NOT_DELETED: 'The batch is published, and candidates past their time were not all deleted.',
  FOREIGN_FILES_KEPT: 'Folders of old runs hold what no run wrote, and stayed.',
  NOT_REUSED: 'A retry did a stage again that the run before had done, since what is left of it cannot be used.',
  TRUTH_NOT_COMPARED: 'The scores were not compared with the truth of the sample business.',
  CURRENT_PATH_MISSING: 'No path leads to the files of the current batch.',
  WARNINGS_LEFT_OUT: 'A stage warned of more than is kept with its run.',
  EARLIER_VERSION: 'A version before this one kept the sentence of a warning, and not its code.',
} as const;

/** How the sentence of the warning `NO_REASONS` begins; why comes behind it. */
export const NO_REASONS = 'The list has no reasons of the model';

export type WarningCode = keyof typeof WARNING_CODES;

/** Something that a person should know, and that stops nothing. */
export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
}

/** Sentences of one kind. */
export function told(code: WarningCode, messages: readonly string[]): Warning[] {
  return messages.map((message) => ({ code, message }));
}
