import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ArtifactDraft, ArtifactKey } from './artifact.ts';
import { openFolderStore } from './folder.ts';
import { PRODUCER } from './producer.ts';
import { storageError } from './storage-error.ts';

const key: ArtifactKey = { namespace: 'shop', owner: 'winback', run: 'winback-1', stage: 'extract', attempt: 1 };
const schema = [{ name: 'customer_id', type: 'VARCHAR' }];
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-artifacts-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(draft: ArtifactDraft, text: string) {
  await writeFile(join(draft.folder, 'a.parquet'), text);
  return draft.commit({
    rows: 2,
    parts: [{ path: 'a.parquet', rows: 2, schema }],
    counts: { removed: { trust: 1, value: 0 } },
  });
}

test('what is committed can be opened, with the size and the SHA-256 of each part', async () => {
  const store = openFolderStore(root);
  const committed = await write(await store.draft(key), 'hello');
  expect(committed.folder).toBe(join(root, 'shop/winback/winback-1/extract/1'));
  expect(committed.manifest).toEqual({
    version: 1,
    stage: 'extract',
    producer: PRODUCER,
    rows: 2,
    bytes: 5,
    parts: [
      { path: 'a.parquet', rows: 2, bytes: 5, sha256: createHash('sha256').update('hello').digest('hex'), schema },
    ],
    counts: { removed: { trust: 1, value: 0 } },
  });
  expect(await store.open(key)).toEqual(committed);
  const bytes = await readFile(join(committed.folder, 'manifest.json'));
  expect(committed.digest).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('a draft is not there until it is committed, and not after it is discarded', async () => {
  const store = openFolderStore(root);
  const draft = await store.draft(key);
  await writeFile(join(draft.folder, 'a.parquet'), 'half');
  await expect(store.open(key)).rejects.toMatchObject({ code: 'HF_ARTIFACT_CORRUPT' });
  await draft.discard();
  expect(await readdir(join(root, 'shop/winback/winback-1/extract'))).toEqual([]);
});

test('discarding after the commit takes nothing away', async () => {
  const store = openFolderStore(root);
  const draft = await store.draft(key);
  await write(draft, 'hello');
  await draft.discard();
  expect((await store.open(key)).manifest.bytes).toBe(5);
});

test('what a crash left behind is removed by the next draft of the same key, and of no other', async () => {
  const store = openFolderStore(root);
  const crashed = await store.draft(key);
  const other = await store.draft({ ...key, attempt: 11 });
  await store.draft(key);
  await expect(readdir(crashed.folder)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(other.folder)).toEqual([]);
});

test('an attempt that runs twice leaves the artifact of the later one and nothing else', async () => {
  const store = openFolderStore(root);
  await write(await store.draft(key), 'first');
  const again = await store.draft(key);
  expect((await store.open(key)).manifest.bytes).toBe(5);
  await write(again, 'second');
  expect((await store.open(key)).manifest.bytes).toBe(6);
  expect(await readdir(join(root, 'shop/winback/winback-1/extract'))).toEqual(['1']);
});

test('two runs that write the same bytes have equal digests', async () => {
  const store = openFolderStore(root);
  const one = await write(await store.draft(key), 'same');
  const two = await write(await store.draft({ ...key, run: 'winback-2' }), 'same');
  expect(two.digest).toBe(one.digest);
});

test('a part saved from a failed artifact can be read until the next draft, and the artifact is not there', async () => {
  const store = openFolderStore(root);
  const draft = await store.draft(key);
  await writeFile(join(draft.folder, 'rejects.parquet'), 'rejects');
  const kept = await draft.keep('rejects.parquet');
  await draft.discard();
  expect(await readFile(kept, 'utf8')).toBe('rejects');
  await expect(store.open(key)).rejects.toMatchObject({ code: 'HF_ARTIFACT_CORRUPT' });
  await store.draft(key);
  await expect(readFile(kept)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([
  ['a changed byte', (folder: string) => writeFile(join(folder, 'a.parquet'), 'hallo')],
  ['a lost part', (folder: string) => rm(join(folder, 'a.parquet'))],
  ['a lost manifest', (folder: string) => rm(join(folder, 'manifest.json'))],
  ['a torn manifest', (folder: string) => writeFile(join(folder, 'manifest.json'), '{"version":1,')],
  [
    'a manifest of another version',
    (folder: string) => writeFile(join(folder, 'manifest.json'), '{"version":2,"parts":[]}'),
  ],
  [
    'a manifest that points out of its folder',
    async (folder: string) => {
      const manifest = await readFile(join(folder, 'manifest.json'), 'utf8');
      await writeFile(join(folder, 'manifest.json'), manifest.replace('a.parquet', '../../a.parquet'));
    },
  ],
])('%s is a corrupt artifact', async (_name, damage) => {
  const store = openFolderStore(root);
  const { folder } = await write(await store.draft(key), 'hello');
  await damage(folder);
  await expect(store.open(key)).rejects.toMatchObject({ code: 'HF_ARTIFACT_CORRUPT' });
});

test.each([
  ['a part that was not written', ['a.parquet', 'b.parquet']],
  ['a file that is not named', []],
])('%s is refused at the commit', async (_name, parts) => {
  const draft = await openFolderStore(root).draft(key);
  await writeFile(join(draft.folder, 'a.parquet'), 'hello');
  const details = { rows: 0, parts: parts.map((path) => ({ path, rows: 0, schema })), counts: {} };
  await expect(draft.commit(details)).rejects.toMatchObject({ code: 'HF_INTERNAL' });
});

test.each(['..', '.', '', 'a/b', 'a..b', '/etc', 'A', 'a\0'])('a key of %j never leaves the root', async (run) => {
  await expect(async () => openFolderStore(root).draft({ ...key, run })).rejects.toMatchObject({ code: 'HF_INTERNAL' });
  expect(await readdir(root)).toEqual([]);
});

test('a root that is a file is a data folder that cannot be used', async () => {
  await writeFile(join(root, 'file'), '');
  await expect(openFolderStore(join(root, 'file')).draft(key)).rejects.toMatchObject({ code: 'HF_DATA_FOLDER' });
});

test('a device without room is a full disk, and the message names the place', async () => {
  await mkdir(join(root, 'place'));
  const full = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
  expect(storageError(full, '/data')).toMatchObject({
    code: 'HF_DISK_FULL',
    message: expect.stringContaining('/data'),
  });
});

test('the producer is this version of the package', async () => {
  const { name, version } = JSON.parse(await readFile('package.json', 'utf8')) as { name: string; version: string };
  expect(PRODUCER).toBe(`${name} ${version}`);
});
