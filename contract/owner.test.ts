import { expect, test } from '@jest/globals';
import { loadManifests } from '../crds/load.ts';
import { validateManifest } from '../crds/validate.ts';
import { program, programSpec } from '../test/support/program.ts';
import { ownerName, ownerOf } from './owner.ts';

test('a program and a series of one name are two owners', () => {
  expect(ownerName('program', { programId: 'keep' })).toBe('keep');
  expect(ownerName('series', { series: 'keep' })).toBe('series.keep');
  expect([ownerOf('keep'), ownerOf('series.keep')]).toEqual([
    { kind: 'program', id: 'keep' },
    { kind: 'series', id: 'keep' },
  ]);
});

test('no program can be called as a series is', () => {
  const named = program({ ...programSpec(), programId: ownerName('series', { series: 'keep' }) });
  const [document] = loadManifests(JSON.stringify(named), 'program.json');
  expect(validateManifest(document!).faults).toMatchObject([{ field: 'spec.programId' }]);
});
