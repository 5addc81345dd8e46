import type { Engine } from '../../base/duckdb/engine.ts';
import { LABEL_COLUMN } from './query.ts';
import { shown } from './words.ts';

/** A part of a statement as DuckDB's parser gives it. */
interface Part {
  readonly class?: string;
  readonly type?: string;
  readonly [key: string]: unknown;
}

/** A SELECT, to be changed. */
interface SelectNode {
  readonly type: string;
  select_list: Part[];
  where_clause: Part | null;
}

/**
 * The query of a program that `init` wrote, of everybody: those who have left are in it, and `holdfast_label` says who did.
 * Undefined where it has no condition `(…) IS NOT TRUE` on the label.
 * @param label name of the column, as a person is shown it
 */
export async function labelledQuery(engine: Engine, query: string, label: string): Promise<string | undefined> {
  const statement = await parsed(engine, query);
  const node = statement?.statements[0]?.node;
  if (statement === undefined || node?.type !== 'SELECT_NODE') return undefined;
  const conditions = conjuncts(node.where_clause);
  const left = conditions.map(leftIn);
  const outcome = left.find((part) => part !== undefined && columnsIn(part).some((name) => shown(name) === label));
  if (outcome === undefined) return undefined;
  // Whoever another column says has left was among those that the model learned from, too.
  const kept = conditions.filter((_, index) => left[index] === undefined);
  const [first = null] = kept;
  node.where_clause = kept.length > 1 ? { ...(node.where_clause as Part), children: kept } : first;
  node.select_list.push({ ...outcome, alias: LABEL_COLUMN });
  const [row] = await engine.rows<{ sql: string }>('SELECT json_deserialize_sql(CAST($1 AS JSON)) AS sql', [
    JSON.stringify(statement),
  ]);
  return row?.sql;
}

/**
 * The same of a query in the SQL of a server, as `init` writes it: each condition is a line at the end.
 * @param label name of the column, as a person is shown it
 */
export function labelledText(query: string, label: string): string | undefined {
  const lines = query.trimEnd().split('\n');
  const from = lines.findLastIndex((line) => line.startsWith('FROM '));
  const conditions = lines
    .slice(from + 1)
    .flatMap((line) => /^\s*(?:WHERE|AND) (\(.*\)) IS NOT TRUE$/.exec(line)?.[1] ?? []);
  const outcome = conditions.find((sql) =>
    [...sql.matchAll(/"((?:[^"]|"")+)"/g)].some(([, name = '']) => shown(name.replaceAll('""', '"')) === label),
  );
  const others = lines.slice(from + 1).filter((line) => !/^\s*--/.test(line) && line.trim() !== '');
  if (from < 1 || outcome === undefined || others.length !== conditions.length) return undefined;
  return [...lines.slice(0, from), `, ${outcome} AS ${LABEL_COLUMN}`, lines[from]].join('\n');
}

interface Parsed {
  readonly statements: readonly { readonly node?: SelectNode }[];
}

async function parsed(engine: Engine, query: string): Promise<Parsed | undefined> {
  const [row] = await engine.rows<{ parsed: string }>('SELECT json_serialize_sql($1::VARCHAR) AS parsed', [query]);
  const statement = JSON.parse(row?.parsed ?? '{}', exactly) as Partial<Parsed>;
  return statement.statements === undefined ? undefined : { ...statement, statements: statement.statements };
}

/** Whole numbers that no double holds stay as they are written; the types of TypeScript do not know how yet. */
function exactly(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };
  return typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined ? rawJSON(source) : value;
}

function conjuncts(where: Part | null): readonly Part[] {
  if (where === null) return [];
  return where.type === 'CONJUNCTION_AND' ? (where['children'] as Part[]).flatMap(conjuncts) : [where];
}

/** What says who has left in `(…) IS NOT TRUE`, which is `CAST(… AS BOOLEAN) IS DISTINCT FROM true` once it is parsed. */
function leftIn(condition: Part): Part | undefined {
  const { left, right } = condition as { left?: Part; right?: Part };
  return condition.type === 'COMPARE_DISTINCT_FROM' && isTrue(right) ? left : undefined;
}

function isTrue(part: Part | undefined): boolean {
  const constant = part?.class === 'CAST' ? (part['child'] as Part) : part;
  const { value } = (constant?.['value'] ?? {}) as { value?: unknown };
  return constant?.class === 'CONSTANT' && (value === true || value === 't' || value === 'true');
}

function columnsIn(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const { class: kind, column_names: names } = part as { class?: string; column_names?: readonly string[] };
  const own = kind === 'COLUMN_REF' ? (names ?? []).slice(-1) : [];
  return [...own, ...Object.values(part).flatMap(columnsIn)];
}
