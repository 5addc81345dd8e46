/** How it is known in which order figures are written, or what a comma means. */
export interface Convention {
  /** For people. */
  readonly note: string;
  /** From 0 to 1: what the confidence of whatever uses the column is multiplied by. */
  readonly sureness: number;
  /** What to ask a person, where the file cannot tell. */
  readonly question?: string;
  /** In few words, why a column about which nobody was asked is given to no model. */
  readonly open?: string;
}

/** What a person says of a whole file. */
export interface Conventions {
  readonly dates?: 'ymd' | 'mdy' | 'dmy' | undefined;
  readonly decimal?: 'point' | 'comma' | undefined;
}

/** How the texts of a column are written. */
export interface Written<Format> {
  readonly format: Format;
  readonly convention?: Convention;
  readonly misfits: number;
  readonly percent?: boolean;
}
