/** What counts as churn while real churn is not known yet. */
export interface ProxyChurn {
  /** Neither purchase nor session for more than so many days. */
  readonly inactiveDays: number;
  /** Length of a billing cycle in days; where it is given, no purchase in two of them is churn, too. */
  readonly billingCycleDays?: number;
}

/** Billing cycles without a purchase after which a customer counts as churned. */
const CYCLES = 2;

export const PROXY_CHURN: ProxyChurn = { inactiveDays: 60 };

/** The definition as a person reads it, for every export and answer. */
export function proxyChurnInWords({ inactiveDays, billingCycleDays }: ProxyChurn, hasSessions: boolean): string {
  const inactive = `no purchase${hasSessions ? ' and no session' : ''} for more than ${inactiveDays} days`;
  if (billingCycleDays === undefined) return inactive;
  return `${inactive}, or no purchase in ${CYCLES} billing cycles (${CYCLES * billingCycleDays} days)`;
}

/**
 * The same as SQL.
 * @param sincePurchase SQL of the days since the last purchase
 * @param sinceSession SQL of the days since the last session, NULL where there was none; undefined without sessions
 */
export function proxyChurnInSql(
  { inactiveDays, billingCycleDays }: ProxyChurn,
  sincePurchase: string,
  sinceSession: string | undefined,
): string {
  const inactive = [
    sincePurchase,
    ...(sinceSession === undefined ? [] : [`coalesce(${sinceSession}, ${sincePurchase})`]),
  ]
    .map((days) => `${days} > ${inactiveDays}`)
    .join(' AND ');
  return billingCycleDays === undefined
    ? `(${inactive})`
    : `((${inactive}) OR ${sincePurchase} > ${CYCLES * billingCycleDays})`;
}
