import { expect, test } from '@jest/globals';
import { type Scope, Sessions } from './sessions.ts';

test('who begins many sessions ends the oldest of their own, and nobody else their one', () => {
  let number = 0;
  const sessions = new Sessions(
    () => new Date('2026-09-01T08:00:00Z'),
    () => String(number++),
  );
  const narrow: Scope = new Set(['shop']);
  const same: Scope = new Set(['shop']);
  const [everybody, other] = [sessions.begin('every'), sessions.begin(same)];
  const many = Array.from({ length: 1001 }, () => sessions.begin(narrow));
  expect(sessions.scopeOf(everybody)).toBe('every');
  expect(sessions.scopeOf(other)).toBe(same);
  expect(many.filter((id) => sessions.scopeOf(id) === narrow)).toEqual(many.slice(-100));
});
