import { expect, test } from '@jest/globals';
import { exitStatus } from '../contract/exit-status.ts';
import { ERROR_CODES, type ErrorCode, HoldfastError } from './errors.ts';

/** Codes of what heals by itself, or of what nobody knows better: worth another try. All others stay as they are. */
const PASSING: readonly ErrorCode[] = [
  'HF_INTERNAL',
  'HF_WAREHOUSE_UNREACHABLE',
  'HF_MODEL_UNREACHABLE',
  'HF_DATABASE_UNREACHABLE',
  'HF_DATABASE_FAILED',
  'HF_NOT_MIGRATED',
  'HF_DISK_FULL',
  'HF_DATA_LOCKED',
  'HF_INTERRUPTED',
  'HF_RUN_NOT_PREPARED',
  'HF_TOO_MANY_DOWNLOADS',
  'HF_UPSTREAM_MISSING',
  'HF_ADDRESS_UNAVAILABLE',
  'HF_CLUSTER_CONFLICT',
  'HF_CLUSTER_UNREACHABLE',
  'HF_CURSOR_EXPIRED',
];

test('every code is either worth another try, which is said here, or ends with 78', () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  const tried = codes.filter((code) => exitStatus(new HoldfastError(code, 'no')) === 1);
  expect(tried.toSorted()).toEqual(PASSING.toSorted());
  expect(codes.filter((code) => ![1, 78].includes(exitStatus(new HoldfastError(code, 'no'))))).toEqual([]);
});
