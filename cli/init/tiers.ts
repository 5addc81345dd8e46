/** Words that tiers go by, lowest first; those of one line are of one rank. */
const RANKS = [
  ['free', 'trial', 'none'],
  ['bronze', 'basic', 'starter', 'lite', 'light', 'essential', 'mini'],
  ['standard', 'silver', 'regular', 'core', 'plus'],
  ['premium', 'gold', 'pro', 'professional', 'advanced'],
  ['premium_plus', 'premium plus', 'premium+', 'platinum', 'business', 'vip', 'unlimited', 'max'],
  ['enterprise', 'diamond', 'ultimate'],
];

/** Tiers in lower case, lowest first; undefined when one of them is of no known rank. */
export function tierOrder(tiers: readonly string[]): string[] | undefined {
  const ranked = [...new Set(tiers.map((tier) => tier.toLowerCase()))].map((tier) => ({
    tier,
    rank: RANKS.findIndex((words) => words.includes(tier)),
  }));
  if (ranked.length === 0 || ranked.some(({ rank }) => rank < 0)) return undefined;
  return ranked.sort((a, b) => a.rank - b.rank || (a.tier < b.tier ? -1 : 1)).map(({ tier }) => tier);
}
