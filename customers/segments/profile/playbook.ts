import { type OrderedRule, PROXY_CHURN_RATE } from './ordered-rules.ts';

/** What to do about a segment. */
export interface Play {
  readonly offer: string;
  readonly channel: string;
}

export interface PlaybookRule extends OrderedRule, Play {}

/** What to do where the manifest says nothing else. */
export const PLAYBOOK: readonly PlaybookRule[] = [
  {
    offer: 'ask what went wrong, before any offer',
    channel: 'a person of support',
    when: [{ feature: 'support_tickets_90d', among: ['highest'] }],
  },
  {
    offer: 'no discount: ask why so much came back',
    channel: 'e-mail',
    when: [
      { feature: PROXY_CHURN_RATE, is: 'at least', value: 0.5 },
      { feature: 'refund_rate', is: 'at least', value: 0.25 },
    ],
  },
  {
    offer: 'help to choose well: sizes, samples, advice; no discount',
    channel: 'e-mail after the purchase',
    when: [
      { feature: 'refund_rate', among: ['highest'] },
      { feature: 'refund_rate', is: 'at least', value: 0.25 },
    ],
  },
  {
    offer: 'a personal reason to come back, of more worth to them than a discount',
    channel: 'telephone or letter',
    when: [
      { feature: PROXY_CHURN_RATE, is: 'at least', value: 0.5 },
      { feature: 'spend_90d', among: ['high', 'highest'] },
    ],
  },
  {
    offer: 'one discount for coming back, then no more',
    channel: 'e-mail',
    when: [{ feature: PROXY_CHURN_RATE, is: 'at least', value: 0.5 }],
  },
  {
    offer: 'early access and thanks; no discount, since they buy without',
    channel: 'e-mail and account manager',
    when: [{ feature: 'frequency_90d', among: ['highest'] }],
  },
  {
    offer: 'a reason for the second purchase: what others bought next',
    channel: 'e-mail within 30 days',
    when: [{ feature: 'tenure_days', among: ['lowest'] }],
  },
  { offer: 'news of what they bought before', channel: 'newsletter', when: [] },
];
