import { expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import { asFailure } from './failure.ts';

const STOPPED = new HoldfastError('HF_INTERRUPTED', 'stopped by SIGINT; run it again');

test('what is thrown while the signal is up comes from the signal', () => {
  const signal = AbortSignal.abort(STOPPED);
  expect(asFailure(new Error('socket closed'), signal)).toBe(STOPPED);
  expect(asFailure(new HoldfastError('HF_DATABASE_UNREACHABLE', 'closed'), signal)).toBe(STOPPED);
  const halfway = new HoldfastError('HF_INTERRUPTED', 'interrupted; nothing was changed', { cause: STOPPED });
  expect(asFailure(halfway, signal)).toBe(STOPPED);
});
