import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { loadManifestFile, loadManifests, type ManifestDocument } from './load.ts';

/** The last object of a text. */
function last(text: string): ManifestDocument {
  const manifest = loadManifests(text, 'a.yaml').at(-1);
  if (manifest === undefined) throw new Error('there is no object');
  return manifest;
}

const unreadable = (message: RegExp) =>
  expect.objectContaining({ code: 'HF_MANIFEST_UNREADABLE', message: expect.stringMatching(message) });

test('a field stands where its key stands, and a missing one where its nearest ancestor does', () => {
  const manifest = last('kind: X\nspec:\n  list:\n    - {id: a}\n    - id: b\n      name: c\n');
  expect(manifest.position(['spec', 'list', 1, 'name'])).toEqual({ line: 6, column: 7 });
  expect(manifest.position(['spec', 'list', 0])).toEqual({ line: 4, column: 7 });
  expect(manifest.position(['spec', 'list', 1, 'nothing', 'below'])).toEqual({ line: 5, column: 7 });
  expect(manifest.position([])).toEqual({ line: 1, column: 1 });
});

test('positions count from the top of the file, not of the document', () => {
  expect(last('a: 1\n---\nb: 2\n').position(['b'])).toEqual({ line: 3, column: 1 });
});

test('an alias is followed to where the field is written', () => {
  expect(last('a: &x\n  b: 1\nc: *x\n').position(['c', 'b'])).toEqual({ line: 2, column: 3 });
});

test.each([
  ['an unquoted NO is false', 'NO', false],
  ['a quoted NO is text', '"NO"', 'NO'],
  ['a time of day is text', '10:00', '10:00'],
  ['a date is text', '2026-01-05', '2026-01-05'],
  ['a number may have underscores', '10_000', 10_000],
  ['a leading zero makes it octal', '010', 8],
])('as in kubectl, %s', (_name, text, value) => {
  expect(last(`a: ${text}\n`).value).toEqual({ a: value });
});

test.each([
  ['a text over the bound', `a: ${'x'.repeat(1024 * 1024)}`, /larger than/],
  ['brackets nested by the ten thousand', '['.repeat(50_000), /a\.yaml/],
  ['a document of nothing', '---\n...\n', /is empty/],
])('%s is refused as unreadable', (_name, text, message) => {
  expect(() => loadManifests(text, 'a.yaml')).toThrow(unreadable(message));
});

test('a file that is missing, a folder, or not text is refused with its name and why', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-load-'));
  try {
    const latin = path.join(folder, 'latin1.yaml');
    await writeFile(latin, Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    await expect(loadManifestFile(path.join(folder, 'none.yaml'))).rejects.toEqual(
      unreadable(/none\.yaml: .*no such file/),
    );
    await expect(loadManifestFile(folder)).rejects.toEqual(unreadable(/folder/));
    await expect(loadManifestFile(latin)).rejects.toEqual(unreadable(/latin1\.yaml: is not UTF-8/));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a dash reads standard input', async () => {
  const [manifest] = await loadManifestFile('-', { stdin: Readable.from([Buffer.from('a: 1\n')]) });
  expect([manifest?.file, manifest?.value]).toEqual(['stdin', { a: 1 }]);
});
