import { expect, test } from '@jest/globals';
import { PROXY_CHURN, proxyChurnInSql, proxyChurnInWords } from './proxy-churn.ts';

test.each([
  [PROXY_CHURN, false, 'no purchase for more than 60 days', '(p > 60)'],
  [
    { inactiveDays: 90, billingCycleDays: 30 },
    true,
    'no purchase and no session for more than 90 days, or no purchase in 2 billing cycles (60 days)',
    '((p > 90 AND coalesce(s, p) > 90) OR p > 60)',
  ],
])('%j says and counts the same', (proxyChurn, hasSessions, words, sql) => {
  expect(proxyChurnInWords(proxyChurn, hasSessions)).toBe(words);
  expect(proxyChurnInSql(proxyChurn, 'p', hasSessions ? 's' : undefined)).toBe(sql);
});
