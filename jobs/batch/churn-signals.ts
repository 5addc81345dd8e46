import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { CHURN_SIGNALS, type ChurnSignal } from '../../customers/columns/churn-signals.ts';
import { resolveFilter } from '../../customers/filters/resolve.ts';

/** Where each signal begins; a customer exactly at a threshold does not show it, as in the churn-signal filter. */
export interface SignalThresholds {
  /** Fraction by which the engagement fell. */
  readonly engagementDecline: number;
  /** Recent logins as a fraction of the usual. */
  readonly loginFrequencyRatio: number;
  readonly daysSinceLastPurchase: number;
  readonly daysSinceLastLogin: number;
}

/** Those of the program's own churn-signal filter, so that a customer's signals are those that were filtered by. */
export function signalThresholds({ filterChain }: Pick<RetentionProgramSpec, 'filterChain'>): SignalThresholds {
  const own = filterChain
    .map((filter) => resolveFilter(filter))
    .find(({ definition }) => definition.rule === 'churn-signal');
  const given = (own?.parameters ?? {}) as Readonly<Record<string, number | undefined>>;
  return {
    engagementDecline: given['minEngagementDecline'] ?? 0.3,
    loginFrequencyRatio: given['maxLoginFrequencyRatio'] ?? 0.5,
    daysSinceLastPurchase: given['minDaysSinceLastPurchase'] ?? 60,
    daysSinceLastLogin: 30,
  };
}

/** SQL of the sorted list of the signals that a row shows; a signal whose columns are not at hand is never shown. */
export function churnSignals(thresholds: SignalThresholds, columns: ReadonlySet<string>): string {
  const signals: Readonly<Record<ChurnSignal, readonly [needs: readonly string[], condition: string]>> = {
    competitor_research: [['competitor_research'], 'competitor_research'],
    engagement_decline: [['engagement_change'], `engagement_change < ${number(-thresholds.engagementDecline)}`],
    inactivity: [['days_since_last_login'], `days_since_last_login > ${number(thresholds.daysSinceLastLogin)}`],
    low_login_frequency: [
      ['login_frequency', 'historical_avg'],
      `login_frequency < ${number(thresholds.loginFrequencyRatio)} * historical_avg`,
    ],
    no_recent_purchase: [
      ['days_since_last_purchase'],
      `days_since_last_purchase > ${number(thresholds.daysSinceLastPurchase)}`,
    ],
  };
  const shown = CHURN_SIGNALS.filter((name) => signals[name][0].every((column) => columns.has(column))).map(
    (name) => `CASE WHEN ${signals[name][1]} THEN '${name}' END`,
  );
  return shown.length === 0
    ? 'CAST([] AS VARCHAR[])'
    : `list_filter([${shown.join(', ')}], lambda signal: signal IS NOT NULL)`;
}

/** Double precision, as the columns are: a bare 0.3 would be a decimal. */
function number(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}
