import { literal } from '../../base/duckdb/engine.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';

/** What a risk level may get. */
type Terms = RetentionProgramSpec['offerStrategy']['segments'][number];

/**
 * The terms of each risk level that has any: those of its own segment, or, without `segmentedOffers`, those of
 * the one segment there is. None when the strategy is off.
 */
export function termsByRiskLevel({
  enabled,
  segmentedOffers,
  segments,
}: RetentionProgramSpec['offerStrategy']): Terms[] {
  if (!enabled) return [];
  if (segmentedOffers) return segments;
  const [forAll] = segments;
  return forAll === undefined ? [] : RISK_LEVELS.map((riskLevel) => Object.assign({}, forAll, { riskLevel }));
}

/** Columns of a decision that hold its terms, by name, with the expression that makes them of `Terms`. */
export const TERM_COLUMNS = {
  offer_tier: { type: 'VARCHAR', of: (terms: Terms) => literal(terms.offerType) },
  discount: { type: 'DOUBLE', of: (terms: Terms) => String(terms.discount) },
  duration: { type: 'INTEGER', of: (terms: Terms) => String(terms.duration) },
  include_upgrade: { type: 'BOOLEAN', of: (terms: Terms) => String(terms.includeUpgrade) },
  include_personal_call: { type: 'BOOLEAN', of: (terms: Terms) => String(terms.includePersonalCall) },
} as const;

type TermColumn = (typeof TERM_COLUMNS)[keyof typeof TERM_COLUMNS];

/** A SELECT of one row for each risk level that has terms. */
export function termsTable(terms: readonly Terms[]): string {
  const rows = terms.map((level) => termsRow(literal(level.riskLevel), (column) => column.of(level)));
  // The row that is filtered out gives an empty table its types.
  return [...rows, `${termsRow('NULL', () => 'NULL')} WHERE false`].join(' UNION ALL ');
}

function termsRow(riskLevel: string, valueOf: (column: TermColumn) => string): string {
  const columns = Object.entries(TERM_COLUMNS).map(
    ([name, column]) => `CAST(${valueOf(column)} AS ${column.type}) AS ${name}`,
  );
  return `SELECT CAST(${riskLevel} AS VARCHAR) AS risk_level, ${columns.join(', ')}`;
}
