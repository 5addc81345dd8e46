import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { type ColumnShape, parquetColumns } from '../../base/duckdb/parquet.ts';
import { columnsOf } from './columns.ts';
import { OFFER_HISTORY_COLUMNS } from './filter.ts';
import type { Predicate } from './predicate.ts';
import { type ChainedFilter, type FilteredProgram, predicateOf } from './resolve.ts';
import { type Bind, bindings, toSql } from './sql.ts';
import { checkKinds, kindOf, type ValueKind } from './types.ts';

/** Columns of the offer history, as their names stand in SQL. */
const HISTORY = Object.values(OFFER_HISTORY_COLUMNS);

/** The verdict of a chain over one file of candidates. */
export interface ChainOutcome {
  readonly kept: number;
  /** Customers removed by each filter, in the order of the chain; the first that fails counts. */
  readonly removed: Readonly<Record<string, number>>;
  /**
   * SELECTs of the two answers, ordered by customer. Of the past offers of customers removed before a filter that reads them
   * nothing is known.
   */
  readonly keptRows: string;
  readonly removedRows: string;
}

/** A program's filters in the order in which they are asked. */
export function chainInOrder(program: Pick<FilteredProgram, 'filterChain'>): ChainedFilter[] {
  return program.filterChain.toSorted((one, other) => one.order - other.order);
}

/** What asking a chain takes beside the candidates. */
export interface ChainSources {
  /** Makes the table `offer_history`, of the customers whose `customer_id` a SELECT gives. */
  readonly history: (customers: string) => Promise<void>;
  /** Called before the verdicts are counted. */
  readonly amended?: () => Promise<void>;
}

/**
 * Asks every filter, and remembers per customer the first that failed, in the table `verdicts`. All candidates are asked
 * up to the first filter that reads past offers; only of those who pass that far are past offers looked up.
 * @param candidates Parquet file, ordered by customer
 * @throws HF_COLUMN_MISSING, HF_EXPRESSION_INVALID, HF_MANIFEST_INVALID before any row is read
 */
export async function applyChain(
  engine: Engine,
  program: FilteredProgram,
  candidates: string,
  { history, amended }: ChainSources,
): Promise<ChainOutcome> {
  const shapes = await parquetColumns(engine, candidates);
  const kinds = chainKinds(shapes);
  const chain = placed(program, kinds);
  const firstOfHistory = chain.findIndex(({ readsHistory }) => readsHistory);
  const split = firstOfHistory === -1 ? chain.length : firstOfHistory;
  const source = `(SELECT ${ownColumns(shapes)}, file_row_number AS holdfast_row
    FROM read_parquet(${literal(candidates)}, file_row_number = true)) AS candidate`;
  const verdict = (filters: readonly PlacedFilter[], bind: Bind) => verdictOf(filters, kinds, bind);
  const early = bindings();
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE verdicts AS
     SELECT holdfast_row, customer_id, ${verdict(chain.slice(0, split), early.bind)} AS failed,
       ${HISTORY.map((column) => `NULL::INTEGER AS ${identifier(column)}`).join(', ')} FROM ${source}`,
    early.values,
  );
  await history('SELECT customer_id FROM verdicts WHERE failed IS NULL');
  const columns = HISTORY.map((column) => `${missingIsNone(column)} AS ${identifier(column)}`).join(', ');
  const late = bindings();
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE late_verdicts AS
     SELECT holdfast_row, ${HISTORY.map(identifier).join(', ')}, ${verdict(chain.slice(split), late.bind)} AS failed
     FROM (SELECT candidate.*, ${columns} FROM ${source}
       JOIN (SELECT holdfast_row FROM verdicts WHERE failed IS NULL) USING (holdfast_row)
       LEFT JOIN offer_history AS history USING (customer_id))`,
    late.values,
  );
  // In place, so that the table keeps the order of the candidates.
  await engine.run(
    `UPDATE verdicts SET ${['failed', ...HISTORY.map(identifier)].map((name) => `${name} = late.${name}`).join(', ')}
     FROM late_verdicts AS late WHERE verdicts.holdfast_row = late.holdfast_row;
     DROP TABLE late_verdicts`,
  );
  await amended?.();
  const counted = await engine.rows<{ failed: number | null; customers: string }>(
    'SELECT failed, count(*) AS customers FROM verdicts GROUP BY failed',
  );
  const customers = (failed: number | null) => Number(counted.find((row) => row.failed === failed)?.customers ?? 0);
  const verdictColumns = HISTORY.map((column) => `verdicts.${identifier(column)}`).join(', ');
  const filterIds = chain.map(({ filterId, place }) => `WHEN ${place} THEN ${literal(filterId)}`).join(' ');
  return {
    kept: customers(null),
    removed: Object.fromEntries(chain.map(({ filterId, place }) => [filterId, customers(place)])),
    keptRows: `SELECT candidate.* EXCLUDE (holdfast_row), ${verdictColumns} FROM ${source}
      JOIN (FROM verdicts WHERE failed IS NULL) AS verdicts USING (holdfast_row) ORDER BY candidate.customer_id`,
    removedRows: `SELECT customer_id, ${chain.length === 0 ? 'NULL::VARCHAR' : `CASE failed ${filterIds} END`} AS filter_id,
      ${verdictColumns} FROM verdicts WHERE failed IS NOT NULL`,
  };
}

/** A filter of a chain, as what it asks. */
interface PlacedFilter {
  readonly filterId: string;
  readonly place: number;
  readonly predicate: Predicate;
  readonly readsHistory: boolean;
}

function placed(program: FilteredProgram, kinds: ReadonlyMap<string, ValueKind>): PlacedFilter[] {
  return chainInOrder(program).map((filter, place) => {
    const predicate = predicateOf(filter, program);
    checkKinds(predicate, kinds, filter.filterId);
    const read = columnsOf(predicate);
    return { filterId: filter.filterId, place, predicate, readsHistory: HISTORY.some((column) => read.has(column)) };
  });
}

/** Kinds of the columns that a chain may ask about. */
export function chainKinds(shapes: readonly ColumnShape[]): ReadonlyMap<string, ValueKind> {
  return new Map<string, ValueKind>([
    ...shapes.map(({ name, type }) => [name, kindOf(type)] as const),
    ...HISTORY.map((column) => [column, 'number'] as const),
  ]);
}

/** SQL of the place of the first of some filters that a row fails, or NULL. */
function verdictOf(filters: readonly PlacedFilter[], kinds: ReadonlyMap<string, ValueKind>, bind: Bind): string {
  const cases = filters.map(
    ({ predicate, place }) => `WHEN NOT COALESCE(${toSql(predicate, kinds, bind)}, FALSE) THEN ${place}`,
  );
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
