import type { Reason, RiskReasons } from '../../customers/explanations/reasons.ts';

/** Reasons as a command shows them. */
export interface ReasonsShown extends RiskReasons {
  readonly modelId: string;
  readonly method: 'tree-shap' | 'occlusion';
  readonly measure: string;
}

/** Such as `days_since_last_login 34 (typical 6) raises the risk by 0.62`. */
export function reasonText({ feature, value, typical, contribution }: Reason): string {
  const seen = `${feature} ${valueText(value)} (typical ${valueText(typical)})`;
  const amount = Math.abs(contribution);
  if (amount === 0) return `${seen} leaves the risk as it is`;
  return `${seen} ${contribution > 0 ? 'raises' : 'lowers'} the risk by ${amountText(amount)}`;
}

/** What the reasons are amounts of, and what they add up to where they do. */
export function marginText({ measure, expected, margin }: ReasonsShown): string {
  const sum =
    expected === undefined || margin === undefined
      ? ''
      : `all features together: ${amountText(margin)}, expected ${amountText(expected)}; `;
  return `(${sum}${measure})`;
}

export function amountText(amount: number): string {
  return Math.abs(amount) >= 0.005 ? amount.toFixed(2) : amount.toPrecision(1);
}

function valueText(value: Reason['value']): string {
  if (value === null) return 'missing';
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
}
