import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { parquetColumns } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { requiredFilterColumns } from '../../customers/filters/required.ts';

/** Share of the rows in which a column must be missing for it to be taken for a broken one. */
const NEARLY_ALL = 0.99;
/** Share of the customers that a broken column may leave. */
const HARDLY_ANY = 0.01;

/** A column that a filter or a model reads, and that hardly any row has. */
interface MissingEverywhere {
  readonly column: string;
  readonly filterIds: readonly string[];
  readonly modelIds: readonly string[];
  readonly missing: number;
  readonly rows: number;
}

/** Columns that the filters and models of a program read and that are missing in nearly every row of the candidates. */
export async function missingEverywhere(
  engine: Engine,
  program: RetentionProgramSpec,
  candidates: string,
): Promise<MissingEverywhere[]> {
  const filters = requiredFilterColumns(program);
  const features = program.scoringModels.flatMap((model) => model.features.map((name) => name.toLowerCase()));
  const needed = (await parquetColumns(engine, candidates))
    .map(({ name }) => name)
    .filter((name) => filters.has(name) || features.includes(name.toLowerCase()));
  if (needed.length === 0) return [];
  const counts = needed.map((column, index) => `count(${identifier(column)}) AS filled_${index}`);
  const [row] = await engine.rows<Record<string, string>>(
    `SELECT count(*) AS total, ${counts.join(', ')} FROM read_parquet(${literal(candidates)})`,
  );
  const rows = Number(row?.['total'] ?? 0);
  return needed.flatMap((column, index) => {
    const missing = rows - Number(row?.[`filled_${index}`] ?? 0);
    if (rows === 0 || missing < NEARLY_ALL * rows) return [];
    const isRead = (name: string) => name.toLowerCase() === column.toLowerCase();
    const modelIds = program.scoringModels
      .filter(({ features }) => features.some(isRead))
      .map(({ modelId }) => modelId);
    return [{ column, filterIds: filters.get(column) ?? [], modelIds, missing, rows }];
  });
}

/** What a person is told, of columns with the same readers and gaps in one sentence. */
export function missingWarnings(found: readonly MissingEverywhere[]): string[] {
  const alike = Map.groupBy(found, ({ filterIds, modelIds, missing }) =>
    JSON.stringify([filterIds, modelIds, missing]),
  );
  return [...alike.values()].flatMap((columns) => {
    const [first] = columns;
    if (first === undefined) return [];
    const { filterIds, modelIds, missing, rows } = first;
    const readers = [...filterIds.map((id) => `the filter ${id}`), ...modelIds.map((id) => `the model ${id}`)];
    const reads = readers.length === 1 ? 'reads' : 'read';
    const names = columns.map(({ column }) => column).join(', ');
    const are = columns.length === 1 ? 'is' : 'are';
    return [`${names}, which ${readers.join(' and ')} ${reads}, ${are} missing in ${missing} of ${rows} rows.`];
  });
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
  // What a model does without a value is its own affair: it removes nobody.
  const broken = found.filter(({ filterIds }) => filterIds.length > 0);
  const [first] = broken;
  if (first === undefined || !hasLast || acceptEmptyBatch === true || kept > HARDLY_ANY * first.rows) return undefined;
  return new HoldfastError(
    'HF_CANDIDATES_COLLAPSED',
    `The filters leave ${kept} of ${first.rows} customers: ${missingWarnings(broken).join(' ')} ` +
      'The batch before stays the current one; quality.acceptEmptyBatch: true lets this one take its place.',
  );
}
