import type { Scorecard, ScorecardFigure } from '../../providers/models/onnx/scorecard-model.ts';
import type { NumberColumns } from './training-rows.ts';

/** Figures of the candidate from which one may guess who is about to leave, and which way each points. */
const SIGNS: Readonly<Record<string, { readonly highIsRisky: boolean }>> = {
  days_since_last_login: { highIsRisky: true },
  days_since_last_purchase: { highIsRisky: true },
  engagement_score: { highIsRisky: false },
  engagement_change: { highIsRisky: false },
  login_frequency: { highIsRisky: false },
  purchase_frequency: { highIsRisky: false },
  feature_usage: { highIsRisky: false },
  support_tickets: { highIsRisky: true },
  subscription_tenure: { highIsRisky: false },
};

/** Of what recency, engagement or use says, at least one must be there: tenure and tickets alone are no sign of leaving. */
const SAYS_LITTLE = ['support_tickets', 'subscription_tenure'];

export const SCORECARD_COLUMNS: readonly string[] = Object.keys(SIGNS);

/** Whether a scorecard can be made of these columns of the candidate. */
export function canMakeScorecard(columns: readonly string[]): boolean {
  return columns.some((column) => SCORECARD_COLUMNS.includes(column) && !SAYS_LITTLE.includes(column));
}

/** What the JSON of a scorecard has in the place of a label. */
export const UNTRAINED = 'none: a scorecard that nobody trained';

/** Parts of equal size that a figure is cut into. */
const PARTS = 20;

/** Cuts each figure at the quantiles of these rows; a figure that nobody has is left out. */
export function makeScorecard({ names, columns }: NumberColumns): Scorecard {
  const figures = names.flatMap((feature, index): ScorecardFigure[] => {
    const sorted = (columns[index] as Float64Array).filter(Number.isFinite).sort();
    if (sorted.length === 0) return [];
    const cuts = Array.from({ length: PARTS - 1 }, (_, cut) => {
      return sorted[Math.floor(((cut + 1) / PARTS) * (sorted.length - 1))] as number;
    });
    return [{ feature, highIsRisky: SIGNS[feature]?.highIsRisky === true, cuts }];
  });
  return { figures };
}
