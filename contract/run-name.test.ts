import { expect, test } from '@jest/globals';
import { nameOf } from './name.ts';
import { clusterRunName, laptopRunName } from './run-name.ts';

const SLOT = new Date('2026-11-23T02:00:00Z');

test.each([
  ['a short name is what its parts say', ['keep', 'extract', '1'], 'keep-extract-1'],
  ['a name that is too long ends in a digest', ['k'.repeat(80), '1'], /^k{52}-[0-9a-f]{10}$/],
  ['dots, which no label may have, are replaced', ['keep.us', '1'], /^keep-us-1-[0-9a-f]{10}$/],
  ['a name that begins with a digit gets another beginning', ['2026', 'x'], /^x-[0-9a-f]{10}$/],
])('%s', (_name, parts, expected) => {
  expect(nameOf(parts)).toEqual(expected instanceof RegExp ? expect.stringMatching(expected) : expected);
  expect(nameOf(parts).length).toBeLessThanOrEqual(63);
});

test('parts that are joined to the same text and had to be cut differ', () => {
  expect(nameOf(['A-b', 'c'])).not.toBe(nameOf(['A', 'b-c']));
});

test.each([
  ['of the pipeline that publishes', 'batch', {}, 'keep-20261123t0200z'],
  ['of another pipeline', 'prune', {}, 'keep-20261123t0200z-prune'],
  ['of one of several in a slot', 'prune', { more: ['manual', '2'] }, 'keep-20261123t0200z-prune-manual-2'],
])('a run on a cluster has owner, slot and pipeline in its name: %s', (_name, pipeline, options, expected) => {
  expect(clusterRunName('keep', SLOT, pipeline, options)).toBe(expected);
});

test('a run on a laptop has owner, slot and number in its name', () => {
  expect(laptopRunName('keep', SLOT, 7)).toBe('keep-20261123t020000z-7');
});
