import { expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import { exitStatus, TERMINAL_EXIT } from './exit-status.ts';

test('a task ends with the status that its Job ends at, when trying again cannot help, and only then', () => {
  expect(exitStatus(new HoldfastError('HF_MODEL_MISSING', 'no'))).toBe(TERMINAL_EXIT);
  expect(exitStatus(new HoldfastError('HF_DATABASE_UNREACHABLE', 'no'))).not.toBe(TERMINAL_EXIT);
});
