import { expect, test } from '@jest/globals';
import { defaultHoldoutKey, holdoutArm } from './holdout.ts';

const key = defaultHoldoutKey('default', 'churn-prevention');
const ids = Array.from({ length: 20_000 }, (_, index) => `C${String(index).padStart(7, '0')}`);
const heldOut = (epoch: number, share: number, secret = key) =>
  ids.filter((id) => holdoutArm(secret, epoch, id, share) === 'holdout');

// Fractions computed by Python's hmac: int.from_bytes(hmac.digest(key, b'1:C0001516', 'sha256')[:8]) / 2**64.
test.each([
  [1, 'C0001516', 0.542618386738753],
  [2, 'C0001516', 0.3787873583397432],
  [1, 'Ünïcode-客', 0.14909316434012215],
])('in epoch %d customer %s stands at a fixed place', (epoch, id, place) => {
  expect(holdoutArm(key, epoch, id, place - 1e-9)).toBe('treatment');
  expect(holdoutArm(key, epoch, id, place + 1e-9)).toBe('holdout');
});

test('a share of 0 holds out nobody and a share of 1 everybody', () => {
  expect(heldOut(1, 0)).toHaveLength(0);
  expect(heldOut(1, 1)).toHaveLength(ids.length);
});

test.each([0.01, 0.1, 0.5])('a share of %d holds out that many customers', (share) => {
  const deviation = Math.sqrt(ids.length * share * (1 - share));
  expect(Math.abs(heldOut(1, share).length - ids.length * share)).toBeLessThan(4 * deviation);
});

test('customers are spread evenly: no tenth of the places is fuller than another', () => {
  const tenths = Array.from(
    { length: 10 },
    (_, index) => heldOut(1, (index + 1) / 10).length - heldOut(1, index / 10).length,
  );
  const expected = ids.length / 10;
  const chiSquare = tenths.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 27.9 is exceeded once in a thousand by an even spread over ten.
  expect(chiSquare).toBeLessThan(27.9);
});

test('a larger share keeps those who were held out before', () => {
  const more = new Set(heldOut(1, 0.2));
  expect(heldOut(1, 0.1).every((id) => more.has(id))).toBe(true);
});

test.each([
  ['epoch', () => heldOut(2, 0.1)],
  ['key', () => heldOut(1, 0.1, defaultHoldoutKey('other', 'churn-prevention'))],
])('a new %s draws anew: about a tenth of the held-out are held out again', (_what, draw) => {
  const before = new Set(heldOut(1, 0.1));
  const again = draw().filter((id) => before.has(id)).length / before.size;
  expect(again).toBeGreaterThan(0.07);
  expect(again).toBeLessThan(0.13);
});
