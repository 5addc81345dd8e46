import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { Mapping } from './mapping.ts';

type Filter = RetentionProgramSpec['filterChain'][number];

export interface ProposedFilter {
  readonly filter: Omit<Filter, 'order'>;
  /** What it does, for people. */
  readonly comment: string;
}

export interface FilterChain {
  readonly filters: readonly ProposedFilter[];
  /** Filters of the use case that the file has no columns for. */
  readonly leftOut: readonly { readonly filterId: string; readonly reason: string }[];
}

/** What of the customers' figures a filter's threshold is taken from. */
export interface CustomerFigures {
  /** Value under which a quarter of the customers are. */
  readonly lowerQuarterOfValue: number | undefined;
  /** Share of the customers who show at least one churn signal at the use case's thresholds. */
  readonly shareWithSignal: number | undefined;
  /** Share of the customers whose account is active, and of those who are verified. */
  readonly shareActive: number | undefined;
}

/** Fewest customers a filter may leave for it to be proposed. */
const LEAST_SHARE = 0.005;

const SIGNALS = [
  {
    parameter: 'minEngagementDecline',
    threshold: 0.3,
    columns: ['engagement_change'],
    words: 'engagement down by more than 30 %',
  },
  {
    parameter: 'maxLoginFrequencyRatio',
    threshold: 0.5,
    columns: ['login_frequency', 'historical_avg'],
    words: 'logins below half of what is usual',
  },
  {
    parameter: 'minDaysSinceLastPurchase',
    threshold: 60,
    columns: ['days_since_last_purchase'],
    words: 'no purchase in more than 60 days',
  },
] as const;

/** SQL that is true of a customer who shows a churn signal; undefined without columns for any. */
export function signalCondition(columns: ReadonlySet<string>): string | undefined {
  const tests = [
    ...(columns.has('engagement_change') ? ['engagement_change < -0.3'] : []),
    ...(columns.has('login_frequency') && columns.has('historical_avg')
      ? ['login_frequency < 0.5 * historical_avg']
      : []),
    ...(columns.has('days_since_last_purchase') ? ['days_since_last_purchase > 60'] : []),
  ];
  return tests.length === 0 ? undefined : tests.join(' OR ');
}

/** The filters of the use case as far as the file has the columns that they read. */
export function proposeFilters(mappings: readonly Mapping[], figures: CustomerFigures): FilterChain {
  const columns = new Set<string>(mappings.map(({ column }) => column));
  const filters: ProposedFilter[] = [];
  const leftOut: { filterId: string; reason: string }[] = [];
  const propose = (filterId: string, made: ProposedFilter | string) => {
    if (typeof made === 'string') leftOut.push({ filterId, reason: made });
    else filters.push(made);
  };
  propose('trust', trust(columns, figures));
  propose('churn-signal', churnSignal(columns, figures));
  propose('customer-value', customerValue(columns, figures));
  propose('eligibility', eligibility(columns));
  filters.push({
    filter: { filterId: 'frequency-cap', type: 'business-rule', parameters: { maxOffersPerQuarter: 1 } },
    comment: 'One offer a quarter, whichever program makes it.',
  });
  return { filters, leftOut };
}

function lacks(columns: ReadonlySet<string>, needed: readonly string[]): string {
  return `needs ${needed.filter((column) => !columns.has(column)).join(' and ')}`;
}

function trust(columns: ReadonlySet<string>, { shareActive }: CustomerFigures): ProposedFilter | string {
  const needed = ['verified', 'account_status'];
  const enough = shareActive === undefined || shareActive >= LEAST_SHARE;
  if (!enough) return 'hardly anybody would pass it';
  if (needed.every((column) => columns.has(column))) {
    return { filter: { filterId: 'trust', type: 'trust' }, comment: 'Verified customers with an active account.' };
  }
  if (columns.has('account_status')) {
    return {
      filter: { filterId: 'active', type: 'expression', parameters: { expression: 'account_status == "active"' } },
      comment: 'Active accounts. With a column verified this would be the filter trust.',
    };
  }
  return lacks(columns, needed);
}

function churnSignal(columns: ReadonlySet<string>, { shareWithSignal }: CustomerFigures): ProposedFilter | string {
  const usable = SIGNALS.filter(({ columns: needed }) => needed.every((column) => columns.has(column)));
  if (usable.length === 0)
    return 'needs engagement_change, login_frequency with historical_avg, or days_since_last_purchase';
  if (shareWithSignal !== undefined && shareWithSignal < LEAST_SHARE) return 'hardly anybody shows a signal';
  const parameters = Object.fromEntries(usable.map(({ parameter, threshold }) => [parameter, threshold]));
  return {
    filter: { filterId: 'churn-signal', type: 'business-rule', parameters: { ...parameters, minSignalsRequired: 1 } },
    comment: `At least one of: ${usable.map(({ words }) => words).join(', ')}.`,
  };
}

function customerValue(
  columns: ReadonlySet<string>,
  { lowerQuarterOfValue }: CustomerFigures,
): ProposedFilter | string {
  if (!columns.has('lifetime_value') || lowerQuarterOfValue === undefined || lowerQuarterOfValue <= 0) {
    return lacks(columns, ['lifetime_value']);
  }
  const minimum = Number(lowerQuarterOfValue.toPrecision(2));
  return {
    filter: { filterId: 'customer-value', type: 'business-rule', parameters: { minLifetimeValue: minimum } },
    comment: `Worth keeping: about the upper three quarters of the customers are worth ${minimum} or more.`,
  };
}

function eligibility(columns: ReadonlySet<string>): ProposedFilter | string {
  if (!columns.has('opted_out'))
    return `${lacks(columns, ['opted_out'])}: without it, whoever refused offers may be contacted`;
  return {
    filter: { filterId: 'eligibility', type: 'eligibility' },
    comment: 'No offer of this program in 90 days, not opted out, in a marketplace that is served.',
  };
}
