import { type Engine, literal } from '../../base/duckdb/engine.ts';
import { parquetColumns } from '../../base/duckdb/parquet.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { requiredFilterColumns } from '../../customers/filters/required.ts';

/** Countries that a warning names. */
const MOST_NAMED = 5;

/**
 * Warnings of candidates whom no filter on marketplaces lets through, though nobody may have meant it: a country of this
 * file that nothing reads, or that the program does not list, as its first file had nobody there.
 */
export async function outsideMarketplaces(
  engine: Engine,
  program: RetentionProgramSpec,
  candidates: string,
): Promise<string[]> {
  const columns = await parquetColumns(engine, candidates);
  if (!requiredFilterColumns(program).has('marketplace') || !columns.some(({ name }) => name === 'marketplace'))
    return [];
  const found = await engine.rows<{ marketplace: string | null; rows: string }>(
    `SELECT marketplace, count(*) AS rows FROM read_parquet(${literal(candidates)})
     GROUP BY ALL ORDER BY rows DESC, marketplace`,
  );
  const rows = sum(found);
  const missing = sum(found.filter(({ marketplace }) => marketplace === null));
  const outside = found.flatMap(({ marketplace, rows: count }) =>
    marketplace === null || program.marketplaces.includes(marketplace) ? [] : [{ marketplace, rows: count }],
  );
  return [
    ...(missing === 0
      ? []
      : [
          `marketplace is missing in ${missing} of ${rows} rows: they have no country, or one that the query does not know, and no ` +
            'filter on marketplaces lets them through.',
        ]),
    ...(outside.length === 0
      ? []
      : [
          `marketplace is none of those that the program lists in ${sum(outside)} of ${rows} rows (${named(outside)}): no filter on ` +
            'marketplaces lets them through. Add the country to marketplaces if they are to be kept.',
        ]),
  ];
}

/** `ES 20, IT 10, others 3`: codes only, since what is none may be any text of a row. */
function named(outside: readonly { readonly marketplace: string; readonly rows: string }[]): string {
  const codes = outside.filter(({ marketplace }) => /^[A-Z]{2}$/i.test(marketplace)).slice(0, MOST_NAMED);
  const others = sum(outside) - sum(codes);
  return [
    ...codes.map(({ marketplace, rows }) => `${marketplace} ${rows}`),
    ...(others === 0 ? [] : [`others ${others}`]),
  ].join(', ');
}

function sum(counts: readonly { readonly rows: string }[]): number {
  return counts.reduce((total, { rows }) => total + Number(rows), 0);
}
