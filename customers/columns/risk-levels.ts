/** How much at risk a customer is, from the highest. Whoever is below the lowest has no level. */
export const RISK_LEVELS = ['critical', 'high', 'medium'] as const;
