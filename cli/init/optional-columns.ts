import { type Engine, identifier } from '../../base/duckdb/engine.ts';
import { cleaned, MISSING, missingWords, read } from './expressions.ts';
import type { Label } from './label.ts';
import { neededBy } from './missing-columns.ts';
import type { OptionalSource } from './optional-source.ts';
import { datesOf, type QueryPlan } from './query.ts';

/**
 * Columns that neither the filters nor the model read: the label, other columns that say who left, and what candidates
 * carry along. Next week's file may lack them.
 * @param needed names under which filters and the model read columns of the query
 * @param stayed value of the label of somebody who stayed, where a row without a label is set apart
 */
export function optionalSources(
  plan: QueryPlan,
  needed: ReadonlySet<string>,
  stayed: string | undefined,
): OptionalSource[] {
  const { identity, mappings, features, label, departures } = plan;
  const isNeeded = (name: string) => needed.has(name.toLowerCase());
  const read = [...mappings.filter(({ column }) => isNeeded(column)), ...features.filter(({ name }) => isNeeded(name))];
  const counted = read.some(({ dated }) => dated) ? datesOf(plan) : [];
  const required = new Set([identity.source, ...read.map(({ source }) => source), ...counted].map(({ name }) => name));
  const found = new Map<string, OptionalSource>();
  const add = (one: OptionalSource) => {
    const { name } = one.source;
    if (required.has(name)) return;
    const before = found.get(name);
    found.set(name, before === undefined ? one : { ...before, without: `${before.without}; ${one.without}` });
  };
  if (label !== undefined) {
    add({ source: label.source, assumed: stayed, without: 'everybody in it counts as still there' });
  }
  for (const { source } of departures) add({ source, without: 'whoever has left by it counts as still there' });
  for (const { source, column } of mappings.filter((mapping) => !isNeeded(mapping.column))) {
    add({ source, without: `candidates have no ${column} (it is for ${neededBy(column)})` });
  }
  return [...found.values()];
}

/** A value of the label, as the source has it, that says that somebody stayed; the most frequent one. */
export async function valueOfStayed(engine: Engine, plan: QueryPlan, label: Label): Promise<string | undefined> {
  const { table, dialect } = plan;
  const { source, expression } = label;
  const given = `SELECT CAST(${identifier(source.name)} AS VARCHAR) AS holdfast_given, ${cleaned(source, dialect)}`;
  const [found] = await engine.rows<{ given: string }>(`
    WITH ${missingWords(dialect)}, given AS (${given} FROM ${table} CROSS JOIN ${MISSING}),
      known AS (SELECT holdfast_given, ${read(source, dialect)} FROM given)
    SELECT holdfast_given AS given FROM known WHERE (${expression}) IS FALSE GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`);
  return found?.given;
}
