import { join } from 'node:path';
import { type Engine, literal } from '../../base/duckdb/engine.ts';
import { type ColumnShape, parquetColumns } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { explain as explainPredicate, type Finding } from '../filters/explain.ts';
import { chainInOrder, chainKinds, ownColumns } from '../filters/filter-chain.ts';
import type { Predicate } from '../filters/predicate.ts';
import { predicateOf } from '../filters/resolve.ts';
import { type Shortfall, shortfalls } from '../filters/shortfalls.ts';
import { bindings, toSql } from '../filters/sql.ts';
import { checkKinds } from '../filters/types.ts';
import { hasRemoved } from './explain.ts';

/** Why a filter removed the customers that it removed. */
export interface FilterGroup {
  readonly filterId: string;
  /** Customers who came as far as this filter. */
  readonly asked: number;
  /** Of these, those whom it removed: what follows is about all of them. */
  readonly removed: number;
  readonly shortfalls: readonly CountedShortfall[];
  /** How many would pass this filter if one threshold moved, and how far. */
  readonly nearMisses: readonly { readonly text: string; readonly customers: number }[];
  readonly sample: readonly { readonly customer: string; readonly comparisons: readonly Finding[] }[];
}

export interface CountedShortfall {
  readonly text: string;
  readonly customers: number;
  /** Of whom it cannot be said, since a value is missing. */
  readonly missing: number;
}

/** Which of a group's customers are shown. */
export interface Sample {
  readonly size: number;
  /** Customers are drawn by a hash of the seed and their id: the same seed draws the same. */
  readonly seed: string;
}

/** An ORDER BY that a seed determines. */
export function drawnBy(seed: string, customer = 'customer_id'): string {
  return `sha256(${literal(`${seed}:`)} || ${customer}), ${customer}`;
}

/**
 * Why a filter removed customers: counted over all of them in one pass, and a sample with what was compared.
 * @throws HF_USAGE when the program has no such filter
 */
export async function explainFilterGroup(
  engine: Engine,
  program: RetentionProgramSpec,
  artifacts: {
    readonly extract: ArtifactReference;
    readonly filter: ArtifactReference;
    /** Those whom a cap removed only when the batch was stored are shown with the others. */
    readonly store: ArtifactReference | undefined;
  },
  filterId: string,
  sample: Sample,
): Promise<FilterGroup> {
  const chain = chainInOrder(program);
  const filter = chain.find((one) => one.filterId === filterId);
  if (filter === undefined)
    throw unknownFilter(
      filterId,
      chain.map((one) => one.filterId),
      program.programId,
    );
  const predicate = predicateOf(filter, program);
  const candidates = join(artifacts.extract.folder, 'candidates.parquet');
  const shapes = await parquetColumns(engine, candidates);
  const kinds = chainKinds(shapes);
  checkKinds(predicate, kinds, filterId);

  const { filter: filtered, store } = artifacts;
  const removedBy = [filtered, ...(store !== undefined && hasRemoved(store) ? [store] : [])];
  const files = removedBy.map(({ folder }) => literal(join(folder, 'removed.parquet')));
  const removedFile = `read_parquet([${files.join(', ')}])`;
  const group = `(SELECT candidate.*, removed.* EXCLUDE (customer_id, filter_id)
    FROM (SELECT ${ownColumns(shapes)} FROM read_parquet(${literal(candidates)})) AS candidate
    JOIN ${removedFile} AS removed USING (customer_id) WHERE removed.filter_id = ${literal(filterId)})`;
  const ways = shortfalls(predicate, wholeColumns(shapes));
  const { values, bind } = bindings();
  const count = (condition: Predicate | undefined) =>
    condition === undefined ? '0' : `count(*) FILTER (WHERE COALESCE(${toSql(condition, kinds, bind)}, FALSE))`;
  const counts = ways.flatMap(({ unmet, missing, eased }, index) => [
    `${count(unmet)} AS unmet${index}`,
    `${count(missing)} AS missing${index}`,
    `${count(eased?.predicate)} AS eased${index}`,
  ]);
  const [counted] = await engine.rows<Record<string, string | number>>(
    `SELECT ${['count(*) AS removed', ...counts].join(', ')} FROM ${group}`,
    values,
  );
  const number = (name: string) => Number(counted?.[name] ?? 0);
  const rows = await engine.rows<Record<string, unknown>>(
    `SELECT * FROM ${group} ORDER BY ${drawnBy(sample.seed)} LIMIT ${sample.size}`,
  );
  return {
    filterId,
    asked: await askedBy(
      engine,
      `read_parquet(${files[0]})`,
      filtered,
      chain.map((one) => one.filterId),
      filterId,
    ),
    removed: number('removed'),
    shortfalls: ways.map(({ text }, index) => ({
      text,
      customers: number(`unmet${index}`),
      missing: number(`missing${index}`),
    })),
    nearMisses: nearMisses(ways, (index) => number(`eased${index}`)),
    sample: rows.map((row) => ({
      customer: String(row['customer_id']),
      comparisons: explainPredicate(predicate, row),
    })),
  };
}

function nearMisses(ways: readonly Shortfall[], customers: (index: number) => number) {
  return ways.flatMap(({ eased }, index) =>
    eased === undefined ? [] : [{ text: eased.text, customers: customers(index) }],
  );
}

function unknownFilter(filterId: string, known: readonly string[], program: string): HoldfastError {
  const meant = nearest(filterId, known);
  const suggestion = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  const list = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  return new HoldfastError('HF_USAGE', `${program} has no filter ${filterId}${suggestion}; ${list}`);
}

/** Whole numbers by their type; of the offer history, which is counted in days and offers, all are. */
function wholeColumns(shapes: readonly ColumnShape[]): (column: string) => boolean {
  const types = new Map(shapes.map(({ name, type }) => [name, type]));
  return (column) => {
    const type = types.get(column);
    return type === undefined || /INT/.test(type);
  };
}

/** Customers whom no earlier filter removed. */
async function askedBy(
  engine: Engine,
  removedFile: string,
  { manifest }: ArtifactReference,
  chain: readonly string[],
  filterId: string,
): Promise<number> {
  const kept = manifest.parts.find(({ path }) => path === 'kept.parquet')?.rows ?? 0;
  const later = chain.slice(chain.indexOf(filterId)).map(literal).join(', ');
  const [row] = await engine.rows<{ count: string }>(
    `SELECT count(*) AS count FROM ${removedFile} WHERE filter_id IN (${later})`,
  );
  return kept + Number(row?.count ?? 0);
}
