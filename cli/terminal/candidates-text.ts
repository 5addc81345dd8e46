import { rfc3339 } from '../../base/instant.ts';
import { printable, shortened } from '../../base/text/printable.ts';
import type { StoredCandidate } from '../../customers/columns/stored-columns.ts';
import type { ListColumn } from '../../customers/contact-list/list-columns.ts';
import { offerWords, reasonWords } from '../../customers/contact-list/words.ts';
import { totalOf } from '../../database/candidates/whole-list.ts';
import { type RunRecord, storedCounts } from '../../database/runs/runs.ts';
import { integer, scoreText } from './figures.ts';

export interface CandidatesShown {
  readonly batch: RunRecord;
  /** To contact, by risk level. */
  readonly counts: ReadonlyMap<string, number>;
  /** Of those that were asked for. */
  readonly total: number;
  /** The first of them. */
  readonly shown: readonly StoredCandidate[];
  readonly columns: readonly ListColumn[];
  /** Where the risk levels begin; empty where what the run was pinned to is not on this machine. */
  readonly thresholds: readonly number[];
}

/** Longest text of a cell, in characters; of the last one, which has the reasons. */
const WIDEST = 40;
const WIDEST_LAST = 120;

/** The first of a list as a table, for a person. */
export function candidatesText({ batch, counts, total, shown, columns, thresholds }: CandidatesShown): string {
  const all = totalOf(counts);
  const levels = [...counts].map(([level, count]) => `${level} ${integer(count)}`).join('   ');
  const hasArm = columns.some(({ name }) => name === 'arm');
  const lines = [
    `${batch.owner}   as of ${rfc3339(batch.slot)}   ${batch.run}`,
    `${hasArm ? 'candidates' : 'to contact'} ${integer(all)}   ${levels}`,
  ];
  const others = hasArm ? undefined : notContacted(batch, all);
  if (others !== undefined) lines.push(others);
  if (shown.length > 0) lines.push('', ...table(shown, columns[0]?.name ?? '', hasArm, thresholds));
  const more = total - shown.length;
  if (more > 0) lines.push(`and ${integer(more)} more: --limit N shows more, --csv --out FILE writes them all`);
  return `${lines.map(printable).join('\n')}\n`;
}

/** Who of the stored candidates is not to be contacted, and why; undefined where everybody is. */
function notContacted(batch: RunRecord, contacted: number): string | undefined {
  const store = batch.stages.find(({ name }) => name === 'store');
  const heldOut = storedCounts(batch, 'arms')?.['holdout'];
  const toContact = store?.counts['toContact'];
  if (store === undefined || store.rowsOut === contacted) return undefined;
  const reasons = [
    ['held out', heldOut],
    ['without an offer', typeof toContact === 'number' ? store.rowsOut - (heldOut ?? 0) - toContact : 0],
    ['past their time', typeof toContact === 'number' ? toContact - contacted : 0],
  ] as const;
  const told = reasons.flatMap(([reason, count = 0]) => (count > 0 ? [`${reason} ${integer(count)}`] : []));
  return [`of ${integer(store.rowsOut)} candidates`, ...told].join('   ');
}

function table(
  shown: readonly StoredCandidate[],
  idColumn: string,
  hasArm: boolean,
  thresholds: readonly number[],
): string[] {
  const rows = [
    [idColumn, 'level', 'risk', ...(hasArm ? ['arm'] : []), 'offer', 'recommended', 'reasons'],
    ...shown.map((row) => [
      row.customer_id,
      row.risk_level,
      scoreText(row.risk_score, thresholds),
      ...(hasArm ? [row.arm] : []),
      offerWords(row) ?? '',
      row.offer_kind ?? '',
      reasonWords(row),
    ]),
  ].map((cells) => cells.map((cell, at) => shortened(printable(cell), at === cells.length - 1 ? WIDEST_LAST : WIDEST)));
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
