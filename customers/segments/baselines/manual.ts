import type { Rule } from '../rules/rule.ts';

/** Segments as people make them by hand; a customer is in the first whose rule holds, the last has everybody else. */
export const MANUAL_SEGMENTS: readonly { readonly name: string; readonly rule: Rule }[] = [
  { name: 'Gone', rule: [{ feature: 'recency_days', is: 'at least', value: 90 }] },
  { name: 'Going', rule: [{ feature: 'recency_days', is: 'at least', value: 60 }] },
  {
    name: 'Frequent and recent',
    rule: [
      { feature: 'frequency_90d', is: 'at least', value: 5 },
      { feature: 'recency_days', is: 'under', value: 30 },
    ],
  },
  { name: 'Frequent', rule: [{ feature: 'frequency_90d', is: 'at least', value: 3 }] },
  { name: 'Recent', rule: [{ feature: 'recency_days', is: 'under', value: 30 }] },
  { name: 'Others', rule: [] },
];

/** @returns number of each customer's segment in `MANUAL_SEGMENTS`; a missing value meets no condition */
export function manualSegments(recencyDays: Float64Array, frequency: Float64Array): Uint8Array {
  return Uint8Array.from(recencyDays, (days, row) =>
    MANUAL_SEGMENTS.findIndex(({ rule }) =>
      rule.every(({ feature, is, value }) => {
        const given = feature === 'recency_days' ? days : (frequency[row] as number);
        return is === 'at least' ? given >= value : given < value;
      }),
    ),
  );
}
