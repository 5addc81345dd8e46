import { HoldfastError } from '../../base/errors.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';

export interface ExtractSize {
  /** Rows that the connectors gave. */
  readonly rows: number;
  readonly rejected: number;
  /** Rejected rows by reason; a row can have several. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Rows handed on. */
  readonly good: number;
  /** Good rows of the last published batch; undefined when there is none to compare with. */
  readonly last: number | undefined;
}

/** Why an extract must not go on: a broken source must never take the place of the last good batch. */
export function failedGate(size: ExtractSize, quality: RetentionProgramSpec['quality']): HoldfastError | undefined {
  const { rows, rejected, reasons, good, last } = size;
  if (rows > 0 && rejected / rows > quality.maxRejectedShare) {
    const sentence = `${rejected} of ${rows} rows were rejected; quality.maxRejectedShare allows ${percent(quality.maxRejectedShare)} (${listed(reasons)}).`;
    return new HoldfastError('HF_REJECTS_OVER_THRESHOLD', sentence);
  }
  if (good === 0) {
    const returned = rows === 0 ? 'the query returned no rows' : `the query returned no usable row among ${rows}`;
    const why = rejected === 0 ? '' : ` (${listed(reasons)})`;
    return new HoldfastError('HF_EXTRACT_EMPTY', `Nothing to work on: ${returned}${why}.`);
  }
  if (last !== undefined && good < quality.minRowsVersusLastRun * last) {
    const sentence =
      `The extract has ${good} rows and that of the last run had ${last}; ` +
      `quality.minRowsVersusLastRun wants at least ${percent(quality.minRowsVersusLastRun)} of it. ` +
      'On a laptop, keep a sample of another size in another --data folder.';
    return new HoldfastError('HF_EXTRACT_COLLAPSED', sentence);
  }
  return undefined;
}

/** Reasons that a message names; the file of the rejects has them all. */
const MOST_REASONS = 8;
const LONGEST_REASON = 120;

/** `lifetime_value not a number 25, customer_id missing 1`, the most frequent first. */
function listed(reasons: ExtractSize['reasons']): string {
  const sorted = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  const named = sorted.slice(0, MOST_REASONS).map(([reason, rows]) => `${reason.slice(0, LONGEST_REASON)} ${rows}`);
  return [...named, ...(sorted.length > MOST_REASONS ? [`${sorted.length - MOST_REASONS} more reasons`] : [])].join(
    ', ',
  );
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`;
}
