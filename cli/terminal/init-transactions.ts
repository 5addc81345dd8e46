import type { ProposedModel } from '../init/proposed-model.ts';
import type { Transactions } from '../init/transactions/propose.ts';
import { rolesOf } from '../init/transactions/words.ts';
import { shown } from '../init/words.ts';
import { integer } from './figures.ts';

/** What `init` says of transactions. */
export interface TransactionReport {
  /** How it is known that the rows are transactions. */
  readonly evidence: readonly string[];
  readonly roles: readonly {
    readonly role: string;
    readonly source: string;
    readonly confidence: number;
    readonly reason: string;
  }[];
  readonly rows: number;
  readonly guests: number;
  readonly customers: number;
  readonly purchases: number;
  readonly refunds: number;
  readonly free: number;
  readonly first: string;
  readonly newest: string;
  readonly cut: string;
  readonly horizon: number;
  readonly lookback: number;
  readonly active: number;
  readonly reason: string;
  /** Customers, as far as they were looked at, whom the model learned from, and those who bought nothing after the cut. */
  readonly atCut: { readonly customers: number; readonly left: number };
  /** One in so many customers was looked at. */
  readonly parts: number;
  readonly outOfTime:
    | { readonly rows: number; readonly auc: number; readonly recencyAuc: number; readonly calibrationError: number }
    | undefined;
}

export function transactionReport(transactions: Transactions, { later }: ProposedModel): TransactionReport {
  const { recognised, survey, cut, atCut, parts } = transactions;
  const { rows, guests, customers, purchases, refunds, free, first, newest } = survey;
  return {
    evidence: recognised.evidence,
    roles: rolesOf(transactions).map(({ role, played: { source, confidence, reason } }) => ({
      role,
      source: shown(source.name),
      confidence,
      reason: [reason, source.convention?.note].filter((part) => part !== undefined).join('; '),
    })),
    rows,
    guests,
    customers,
    purchases,
    refunds,
    free,
    first,
    newest,
    cut: cut.cut,
    horizon: cut.horizon,
    lookback: cut.lookback,
    active: cut.active,
    reason: cut.reason,
    atCut,
    parts,
    outOfTime:
      later === undefined
        ? undefined
        : {
            rows: later.rows,
            auc: later.auc,
            recencyAuc: later.recencyAuc,
            calibrationError: later.reliability.calibrationError,
          },
  };
}

/** Lines for a person. */
export function transactionLines(report: TransactionReport, width: number): string[] {
  const { evidence, roles, guests, customers, purchases, refunds, free, first, newest } = report;
  const { cut, horizon, lookback, active, reason, atCut, parts } = report;
  const longest = Math.max(...roles.map(({ source }) => source.length));
  const share = ((100 * atCut.left) / Math.max(1, atCut.customers)).toFixed(1);
  return [
    'transactions: several rows for each customer, which the query adds up to one',
    ...evidence.map((line) => `  ${line}`),
    ...roles.map(
      ({ role, source, confidence, reason: why }) =>
        `  ${role.padEnd(width)}${source.padEnd(longest)}  ${confidence.toFixed(2)}  ${why}`,
    ),
    `  ${integer(purchases)} purchases of ${integer(customers)} customers, ${first} to ${newest}; ${integer(refunds)} rows below 0 or ` +
      `marked as returned lower the value and are no purchases; ${integer(free)} rows for nothing or marked as cancelled; ` +
      `${integer(guests)} rows without a customer`,
    '',
    `cut         ${cut}: features are of the ${lookback} days up to it, the label of the ${horizon} days after it`,
    `            ${reason}`,
    `            of ${integer(atCut.customers)} customers who bought in the ${active} days before it${parts === 1 ? '' : ` (one in ${parts} was looked at)`}, ` +
      `${integer(atCut.left)} (${share} %) bought nothing after it`,
    '            a run counts to the newest day of its file in place of the cut; another: --cut DAY, --horizon DAYS',
    '',
  ];
}

export function outOfTimeLine({ outOfTime, horizon }: TransactionReport): string {
  if (outOfTime === undefined) return '            not measured out of time: the file is too short for an earlier cut';
  const { rows, auc, recencyAuc, calibrationError } = outOfTime;
  return (
    `            out of time, trained ${horizon} days earlier, on ${integer(rows)} customers: AUC ${auc.toFixed(3)} ` +
    `(recency alone ${recencyAuc.toFixed(3)}), calibration error ${calibrationError.toFixed(3)}`
  );
}
