import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import {
  type Fault,
  loadManifests,
  type RetentionProgram,
  type RetentionRun,
  validateManifest,
} from '../crds/index.ts';

/*
 * The oracle: a file in test/manifests is a test. What is expected stands in comments at its top:
 *   # expect: FIELD SUBSTRING OF THE REASON     one line for each fault; `(document)` and `(file)` are no fields
 *   # class: runtime      the API server takes it, only Holdfast refuses it
 *   # class: unreadable   it is no manifest at all
 * An update is refused when its new.yaml expects something.
 */
const FOLDER = path.join(import.meta.dirname, 'manifests');

interface Expectation {
  readonly faults: readonly { readonly field: string; readonly reason: string }[];
  readonly class: string;
}

function expectationOf(text: string): Expectation {
  const lines = text.split('\n').filter((line) => line.startsWith('# '));
  const faults = lines.flatMap((line) => {
    const [, field, reason] = /^# expect: (\S+) ?(.*)$/.exec(line) ?? [];
    return field === undefined || reason === undefined ? [] : [{ field, reason }];
  });
  const stated = lines.find((line) => line.startsWith('# class: '))?.slice('# class: '.length);
  return { faults, class: stated ?? 'admission' };
}

function listed(folder: string): string[] {
  return readdirSync(path.join(FOLDER, folder)).sort();
}

function read(...names: string[]): string {
  return readFileSync(path.join(FOLDER, ...names), 'utf8');
}

/** Every fault of every object in a text; a text that is no manifest is one fault of the file. */
function faultsOf(
  text: string,
  old?: RetentionProgram | RetentionRun,
): Pick<Fault, 'field' | 'reason' | 'class' | 'line'>[] {
  try {
    return loadManifests(text, 'manifest.yaml').flatMap(
      (document) => validateManifest(document, old === undefined ? {} : { old }).faults,
    );
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    expect(error.code).toBe('HF_MANIFEST_UNREADABLE');
    return [{ field: '(file)', reason: error.message, class: 'admission', line: 0 }];
  }
}

function resolvedOf(text: string): RetentionProgram | RetentionRun {
  const [document] = loadManifests(text, 'manifest.yaml');
  const resolved = document && validateManifest(document).resolved;
  if (resolved === undefined) throw new Error('the object to be changed is not valid itself');
  return resolved;
}

test.each(listed('good'))('good/%s is accepted', (file) => {
  expect(faultsOf(read('good', file))).toEqual([]);
});

test.each(listed('bad'))('bad/%s is refused for the reason it states', (file) => {
  const text = read('bad', file);
  const expected = expectationOf(text);
  expect(expected.faults.length).toBeGreaterThan(0);
  const found = faultsOf(text);
  expect(found.map((fault) => fault.field).sort()).toEqual(expected.faults.map(({ field }) => field).sort());
  for (const { field, reason } of expected.faults) {
    const reasons = found.filter((fault) => fault.field === field).map((fault) => fault.reason);
    expect(reasons.join('\n')).toContain(reason);
  }
  const classes = new Set(found.map((fault) => fault.class));
  expect([...classes]).toEqual([expected.class === 'runtime' ? 'runtime' : 'admission']);
  expect(found.every((fault) => (fault.field === '(file)') === (expected.class === 'unreadable'))).toBe(true);
});

test.each(listed('update'))('update/%s is judged by what changes', (folder) => {
  const text = read('update', folder, 'new.yaml');
  const found = faultsOf(text, resolvedOf(read('update', folder, 'old.yaml')));
  const expected = expectationOf(text).faults;
  expect(found.map(({ field }) => field)).toEqual(expected.map(({ field }) => field));
  for (const [index, { reason }] of expected.entries()) expect(found[index]?.reason).toContain(reason);
});

test('the examples are accepted', () => {
  const examples = path.join(import.meta.dirname, '..', 'examples');
  const files = readdirSync(examples).filter((file) => file.endsWith('.yaml'));
  expect(files).toContain('churn-prevention.yaml');
  for (const file of files)
    expect([file, faultsOf(readFileSync(path.join(examples, file), 'utf8'))]).toEqual([file, []]);
});
