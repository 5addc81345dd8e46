import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { type ColumnShape, parquetColumns } from '../../base/duckdb/parquet.ts';
import { OFFER_HISTORY_COLUMNS } from './filter.ts';
import { type ChainedFilter, type FilteredProgram, predicateOf } from './resolve.ts';
import { bindings, toSql } from './sql.ts';
import { checkKinds, kindOf, type ValueKind } from './types.ts';

/** Columns of the offer history, as their names stand in SQL. */
const HISTORY = Object.values(OFFER_HISTORY_COLUMNS);

/** The verdict of a chain over one file of candidates. */
export interface ChainOutcome {
  readonly kept: number;
  /** Customers removed by each filter, in the order of the chain; the first that fails counts. */
  readonly removed: Readonly<Record<string, number>>;
  /** SELECTs of the two answers, ordered by customer. */
  readonly keptRows: string;
  readonly removedRows: string;
}

/** A program's filters in the order in which they are asked. */
export function chainInOrder(program: Pick<FilteredProgram, 'filterChain'>): ChainedFilter[] {
  return program.filterChain.toSorted((one, other) => one.order - other.order);
}

/**
 * Asks every filter in one pass over the candidates and the table `offer_history`, and remembers per customer
 * the first that failed, in the table `verdicts`.
 * @param amended called before the verdicts are counted
 * @throws HF_COLUMN_MISSING, HF_EXPRESSION_INVALID, HF_MANIFEST_INVALID before any row is read
 */
export async function applyChain(
  engine: Engine,
  program: FilteredProgram,
  candidates: string,
  amended: () => Promise<void> = async () => {},
): Promise<ChainOutcome> {
  const chain = chainInOrder(program);
  const shapes = await parquetColumns(engine, candidates);
  const { values, bind } = bindings();
  const source = `(SELECT ${ownColumns(shapes)} FROM read_parquet(${literal(candidates)})) AS candidate`;
  const history = HISTORY.map((column) => `${missingIsNone(column)} AS ${identifier(column)}`).join(', ');
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE verdicts AS
     SELECT customer_id, ${HISTORY.map(identifier).join(', ')}, ${verdict(chain, program, shapes, bind)} AS failed
     FROM (SELECT candidate.*, ${history} FROM ${source} LEFT JOIN offer_history AS history USING (customer_id))`,
    values,
  );
  await amended();
  const counted = await engine.rows<{ failed: number | null; customers: string }>(
    'SELECT failed, count(*) AS customers FROM verdicts GROUP BY failed',
  );
  const customers = (failed: number | null) => Number(counted.find((row) => row.failed === failed)?.customers ?? 0);
  const verdictColumns = HISTORY.map((column) => `verdicts.${identifier(column)}`).join(', ');
  const filterIds = chain.map(({ filterId }, place) => `WHEN ${place} THEN ${literal(filterId)}`).join(' ');
  return {
    kept: customers(null),
    removed: Object.fromEntries(chain.map(({ filterId }, place) => [filterId, customers(place)])),
    keptRows: `SELECT candidate.*, ${verdictColumns} FROM ${source} JOIN verdicts USING (customer_id)
      WHERE failed IS NULL ORDER BY customer_id`,
    removedRows: `SELECT customer_id, ${chain.length === 0 ? 'NULL::VARCHAR' : `CASE failed ${filterIds} END`} AS filter_id,
      ${verdictColumns} FROM verdicts WHERE failed IS NOT NULL ORDER BY customer_id`,
  };
}

/** Kinds of the columns that a chain may ask about. */
export function chainKinds(shapes: readonly ColumnShape[]): ReadonlyMap<string, ValueKind> {
  return new Map<string, ValueKind>([
    ...shapes.map(({ name, type }) => [name, kindOf(type)] as const),
    ...HISTORY.map((column) => [column, 'number'] as const),
  ]);
}

/** Place in the chain of the first filter that a row fails, or NULL. */
function verdict(
  chain: readonly ChainedFilter[],
  program: FilteredProgram,
  shapes: readonly ColumnShape[],
  bind: ReturnType<typeof bindings>['bind'],
): string {
  const kinds = chainKinds(shapes);
  const cases = chain.map((filter, place) => {
    const predicate = predicateOf(filter, program);
    checkKinds(predicate, kinds, filter.filterId);
    return `WHEN NOT COALESCE(${toSql(predicate, kinds, bind)}, FALSE) THEN ${place}`;
  });
  return cases.length === 0 ? 'NULL::INTEGER' : `(CASE ${cases.join(' ')} END)::INTEGER`;
}

/** All columns of the candidates but those whose place the offer history takes. */
export function ownColumns(shapes: readonly ColumnShape[]): string {
  const history = new Set<string>(HISTORY);
  return shapes
    .filter(({ name }) => !history.has(name.toLowerCase()))
    .map(({ name }) => identifier(name))
    .join(', ');
}

/** A customer without history has had no offers; there is no day since the last. */
function missingIsNone(column: string): string {
  const name = `history.${identifier(column)}`;
  return column === OFFER_HISTORY_COLUMNS.daysSinceProgramOffer ? name : `COALESCE(${name}, 0)`;
}
