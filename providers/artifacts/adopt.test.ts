import { spawnSync } from 'node:child_process';
import {
  appendFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { adoptArtifact, type Link } from './adopt.ts';
import type { ArtifactKey, ArtifactReference } from './artifact.ts';
import { digestOf } from './durable.ts';
import { openFolderStore } from './folder.ts';
import { keyFolder } from './key.ts';
import { MANIFEST } from './manifest.ts';
import type { ArtifactStore } from './store.ts';

const FAILED: ArtifactKey = { namespace: 'shop', owner: 'winback', run: 'winback-1', stage: 'extract', attempt: 2 };
const RETRY: ArtifactKey = { ...FAILED, run: 'winback-1-retry', attempt: 1 };
const PARTS = { 'a.parquet': 'hello', 'b.parquet': 'world, and more of it' };

let root: string;
let store: ArtifactStore;
let failed: ArtifactReference;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-adopt-'));
  store = openFolderStore(root);
  failed = await commit(PARTS);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function commit(parts: Record<string, string>, key = FAILED): Promise<ArtifactReference> {
  const draft = await store.draft(key);
  for (const [name, text] of Object.entries(parts)) await writeFile(join(draft.folder, name), text);
  const named = Object.keys(parts).map((path) => ({ path, rows: 1, schema: [{ name: 'x', type: 'VARCHAR' }] }));
  return draft.commit({ rows: 2, parts: named, counts: { removed: 1 }, madeFrom: { revision: 'r1' } });
}

const adopt = () => store.adopt(FAILED, RETRY, failed.digest);
/** As on a volume, or between two, where no file has two names. */
const cannotLink: Link = () => Promise.reject(Object.assign(new Error('EXDEV'), { code: 'EXDEV' }));
const adoptBy = (linkFile: Link) =>
  adoptArtifact(
    { key: FAILED, folder: failed.folder, digest: failed.digest },
    RETRY,
    join(root, keyFolder(RETRY)),
    linkFile,
  );
const left = async () => {
  const stage = join(root, 'shop/winback/winback-1-retry/extract');
  return readdir(stage).catch(() => []);
};
const REFUSED = { code: 'HF_ARTIFACT_CORRUPT' };

test('what is adopted is the same to the byte, under the name of the other run', async () => {
  const adopted = await adopt();
  expect(adopted).toMatchObject({ key: RETRY, digest: failed.digest, manifest: failed.manifest });
  expect(await store.open(RETRY)).toEqual(adopted);
  expect((await store.open(FAILED)).digest).toBe(failed.digest);
});

test('no byte lies twice where a file can have two names, and a copy is made where it cannot', async () => {
  await adopt();
  expect((await stat(join(failed.folder, 'a.parquet'))).nlink).toBe(2);
  await rm(join(root, 'shop/winback/winback-1-retry'), { recursive: true });
  const { digest } = await adoptBy(cannotLink);
  expect((await stat(join(failed.folder, 'a.parquet'))).nlink).toBe(1);
  expect((await store.open(RETRY)).digest).toBe(digest);
});

test.each<[string, Link]>([
  ['linked', link],
  ['copied', cannotLink],
])('what was %s outlives the run that made it', async (_name, linkFile) => {
  await adoptBy(linkFile);
  await store.runFolders.setAside(FAILED);
  await store.runFolders.reclaim(FAILED, new AbortController().signal);
  expect((await store.open(RETRY)).digest).toBe(failed.digest);
  // And it is adopted by the next.
  expect(await store.adopt(RETRY, { ...RETRY, run: 'winback-1-again' }, failed.digest)).toMatchObject({
    digest: failed.digest,
  });
});

test('bytes that a retry shares are freed with the last run that has them, and counted once', async () => {
  await adopt();
  const free = async (key: ArtifactKey) => {
    await store.runFolders.setAside(key);
    return (await store.runFolders.reclaim(key, new AbortController().signal)).bytes;
  };
  const manifest = (await stat(join(failed.folder, MANIFEST))).size;
  expect(await free(FAILED)).toBe(manifest);
  expect(await free(RETRY)).toBe(manifest + failed.manifest.bytes);
});

test('adopting twice changes nothing, also where the run that made it is gone by then', async () => {
  const adopted = await adopt();
  await rm(join(root, 'shop/winback/winback-1'), { recursive: true });
  expect(await adopt()).toEqual(adopted);
  expect(await left()).toEqual(['1']);
});

test('what lies in its place and is another is replaced', async () => {
  await commit({ 'a.parquet': 'older' }, RETRY);
  expect((await adopt()).digest).toBe(failed.digest);
  expect((await store.open(RETRY)).digest).toBe(failed.digest);
  expect(await left()).toEqual(['1']);
});

test('two at once, of which one sweeps away what the other does, leave the artifact or nothing, and a third adopts it', async () => {
  const ends = await Promise.allSettled([adopt(), adopt(), adopt()]);
  for (const end of ends) {
    // Only for want of its own draft: nothing is said of the artifact, so the task is tried again.
    if (end.status === 'rejected')
      expect(end.reason).toMatchObject({ code: expect.stringMatching(/^(ENOENT|ENOTEMPTY)$/) });
  }
  expect((await adopt()).digest).toBe(failed.digest);
  expect((await left()).filter((name) => name !== '1')).toEqual([]);
});

describe('killed in between', () => {
  /** The process ends before the given link: nothing after it is done, not even the clean-up. */
  function killedAt(calls: number): Promise<void> {
    let call = 0;
    return new Promise((killed) => {
      void adoptBy(async (from, to) => {
        call += 1;
        if (call <= calls) return link(from, to);
        killed();
        return new Promise(() => {});
      });
    });
  }

  test.each([0, 1])('at part %i, nothing is there, and the next try leaves the whole', async (calls) => {
    await killedAt(calls);
    await expect(store.open(RETRY)).rejects.toMatchObject(REFUSED);
    expect(await left()).toEqual([expect.stringMatching(/^\.1\.draft-/)]);
    await adopt();
    expect(await left()).toEqual(['1']);
    expect((await store.open(RETRY)).digest).toBe(failed.digest);
  });
});

test.each<[string, (folder: string) => Promise<unknown>, RegExp]>([
  ['was pruned', (folder) => rm(join(folder, '../..'), { recursive: true }), /run winback-1 is gone/],
  ['was not finished', (folder) => rm(join(folder, MANIFEST)), /is gone/],
  ['lost a part', (folder) => rm(join(folder, 'b.parquet')), /has lost its part b.parquet/],
  ['was added to', (folder) => appendFile(join(folder, 'b.parquet'), '!'), /was changed: b.parquet/],
  ['has other bytes', (folder) => writeFile(join(folder, 'a.parquet'), 'hellO'), /was changed: a.parquet/],
  [
    'has a link in place of a part',
    async (folder) => {
      await rename(join(folder, 'a.parquet'), join(root, 'elsewhere'));
      await symlink(join(root, 'elsewhere'), join(folder, 'a.parquet'));
    },
    /has a part that is no file: a.parquet/,
  ],
  ['is another by now', () => commit({ 'a.parquet': 'other' }), /is not the one that was recorded/],
  ['has a manifest that was changed', (folder) => appendFile(join(folder, MANIFEST), ' '), /is not the one/],
])('an artifact that %s is refused, and nothing is left of the try', async (_name, harm, sentence) => {
  await harm(failed.folder);
  await expect(adopt()).rejects.toMatchObject({ ...REFUSED, message: expect.stringMatching(sentence) });
  await expect(adoptBy(cannotLink)).rejects.toMatchObject(REFUSED);
  expect(await left()).toEqual([]);
});

test('one that goes while it is adopted is refused', async () => {
  const pruned: Link = async (from, to) => {
    await store.runFolders.setAside(FAILED);
    return link(from, to);
  };
  await expect(adoptBy(pruned)).rejects.toMatchObject({
    ...REFUSED,
    message: expect.stringMatching(/has lost its part/),
  });
  expect(await left()).toEqual([]);
});

test.each<[string, object, RegExp]>([
  ['another version of Holdfast', { producer: 'holdfast 0.0.9' }, /was made by holdfast 0.0.9, and this is holdfast/],
  ['another stage', { stage: 'filter' }, /is that of the stage filter/],
  ['a version with other manifests', { version: 2 }, /has a manifest of another version/],
])('one that %s made is refused, though it is the one that was recorded', async (_name, change, sentence) => {
  const file = join(failed.folder, MANIFEST);
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...change }));
  const recorded = digestOf(await readFile(file));
  await expect(store.adopt(FAILED, RETRY, recorded)).rejects.toMatchObject({
    ...REFUSED,
    message: expect.stringMatching(sentence),
  });
  expect(await left()).toEqual([]);
});

const mounts = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true'], { timeout: 60_000 }).status === 0;
if (!mounts) console.warn('a disk without room for a copy: skipped, since making a small disk needs root');

(mounts ? test : test.skip)('where there is no room for a copy, that is said, and nothing is left', async () => {
  failed = await commit({ 'a.parquet': 'x'.repeat(100_000) });
  const place = join(root, 'shop/winback/winback-1-retry');
  await mkdir(place);
  const adoptThere = `
    const { openFolderStore } = await import(${JSON.stringify(join(import.meta.dirname, 'folder.ts'))});
    const store = openFolderStore(${JSON.stringify(root)});
    await store.adopt(${JSON.stringify(FAILED)}, ${JSON.stringify(RETRY)}, '${failed.digest}')
      .then(() => console.log('adopted'), ({ code }) => console.log(code));`;
  const script = 'mount -t tmpfs -o size=8k tmpfs "$0" && "$1" --input-type=module -e "$2" && ls -A "$0/extract"';
  const ended = spawnSync('unshare', ['--mount', 'sh', '-c', script, place, process.execPath, adoptThere], {
    timeout: 60_000,
  });
  expect(ended.stdout.toString()).toBe('HF_DISK_FULL\n');
});

test('where neither a link nor a copy can be made, that is thrown, and nothing is left', async () => {
  const occupied: Link = async (_from, to) => {
    await mkdir(to);
    throw Object.assign(new Error('EMLINK'), { code: 'EMLINK' });
  };
  await expect(adoptBy(occupied)).rejects.toMatchObject({ code: 'EISDIR' });
  expect(await left()).toEqual([]);
});
