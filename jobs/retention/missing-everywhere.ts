import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { type Engine, identifier, literal } from '../columns/engine.ts';
import { parquetColumns } from '../columns/parquet.ts';
import { HoldfastError } from '../errors.ts';
import { requiredFilterColumns } from '../filters/required.ts';

/** Share of the rows in which a column must be missing for it to be taken for a broken one. */
const NEARLY_ALL = 0.99;
/** Share of the customers that a broken column may leave. */
const HARDLY_ANY = 0.01;

/** A column that a filter reads, and that hardly any row has. */
interface MissingEverywhere {
  readonly column: string;
  readonly filterIds: readonly string[];
  readonly missing: number;
  readonly rows: number;
}

/** Columns that the filters of a program read and that are missing in nearly every row of the candidates. */
export async function missingEverywhere(
  engine: Engine,
  program: RetentionProgramSpec,
  candidates: string,
): Promise<MissingEverywhere[]> {
  const present = new Set((await parquetColumns(engine, candidates)).map(({ name }) => name));
  const needed = [...requiredFilterColumns(program)].filter(([column]) => present.has(column));
  if (needed.length === 0) return [];
  const counts = needed.map(([column], index) => `count(${identifier(column)}) AS filled_${index}`);
  const [row] = await engine.rows<Record<string, string>>(
    `SELECT count(*) AS total, ${counts.join(', ')} FROM read_parquet(${literal(candidates)})`,
  );
  const rows = Number(row?.['total'] ?? 0);
  return needed.flatMap(([column, filterIds], index) => {
    const missing = rows - Number(row?.[`filled_${index}`] ?? 0);
    return rows > 0 && missing >= NEARLY_ALL * rows ? [{ column, filterIds, missing, rows }] : [];
  });
}

/** What a person is told of each. */
export function missingWarnings(found: readonly MissingEverywhere[]): string[] {
  return found.map(
    ({ column, filterIds, missing, rows }) =>
      `${column}, which the filter ${filterIds.join(' and ')} reads, is missing in ${missing} of ${rows} rows.`,
  );
}

/**
 * Why a batch must not take the place of the last one: a column that a filter reads has broken, and hardly anybody is left.
 * @param hasLast whether there is a published batch that it would replace
 */
export function collapsed(
  found: readonly MissingEverywhere[],
  kept: number,
  hasLast: boolean,
  { acceptEmptyBatch }: RetentionProgramSpec['quality'],
): HoldfastError | undefined {
  const [first] = found;
  if (first === undefined || !hasLast || acceptEmptyBatch === true || kept > HARDLY_ANY * first.rows) return undefined;
  return new HoldfastError(
    'HF_CANDIDATES_COLLAPSED',
    `The filters leave ${kept} of ${first.rows} customers: ${missingWarnings(found).join(' ')} ` +
      'The batch before stays the current one; quality.acceptEmptyBatch: true lets this one take its place.',
  );
}
