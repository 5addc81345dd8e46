import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { programFile } from './program-file.ts';

let volume: string;

/** The files of a program, beside the artifacts of others. */
beforeAll(async () => {
  volume = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-files-')));
  const files = join(volume, 'files');
  await mkdir(join(files, 'models'), { recursive: true });
  await mkdir(join(files, '..data'));
  await mkdir(join(volume, 'artifacts'));
  await mkdir(join(volume, 'files-2'));
  for (const file of ['files/shop.csv', 'files/..data/shop.csv', 'artifacts/theirs.csv', 'files-2/theirs.csv']) {
    await writeFile(join(volume, file), 'customer_id\n1\n');
  }
  await symlink(join(volume, 'artifacts'), join(files, 'folder'));
  await symlink('../artifacts/theirs.csv', join(files, 'link.csv'));
  await symlink('shop.csv', join(files, 'newest.csv'));
  await symlink('../artifacts/nothing.csv', join(files, 'dangling.csv'));
  await symlink(files, join(volume, 'mounted'));
});

afterAll(() => rm(volume, { recursive: true }));

const on = (path: string, confined: boolean, folder = 'files') =>
  programFile(path.replace('VOLUME', volume), { baseFolder: join(volume, folder), confined }, 'Connector shop').then(
    (file) => file.slice(volume.length),
    (error) => error.code,
  );

test.each([
  ['a relative path', 'shop.csv', '/files/shop.csv'],
  ['an absolute path to the same', 'VOLUME/files/shop.csv', '/files/shop.csv'],
  ['a way out and in again', '../files/shop.csv', '/files/shop.csv'],
  ['a name that begins with two dots', '..data/shop.csv', '/files/..data/shop.csv'],
  ['a link to a neighbour', 'newest.csv', '/files/newest.csv'],
  ['a pattern', 'models/*.csv', '/files/models/*.csv'],
  ['what is not there', 'missing.csv', '/files/missing.csv'],
  ['a link to nothing', 'dangling.csv', '/files/dangling.csv'],
  ['the folder itself', '.', '/files'],
])('on a cluster a path of a program may be %s', async (_name, path, expected) => {
  expect(await on(path, true)).toBe(expected);
});

test.each([
  ['an absolute path', 'VOLUME/artifacts/theirs.csv'],
  ['a way up', '../artifacts/theirs.csv'],
  ['a way down and up', 'models/../../artifacts/theirs.csv'],
  ['a way up to what is not there', '../artifacts/missing.csv'],
  ['a folder whose name begins the same', '../files-2/theirs.csv'],
  ['the folder above', '..'],
  ['a link', 'link.csv'],
  ['a link on the way', 'folder/theirs.csv'],
  ['a pattern outside', '../artifacts/*.csv'],
])('on a cluster no path of a program leads out of its files: %s', async (_name, path) => {
  expect(await on(path, true)).toBe('HF_PATH_REFUSED');
  expect(await on(path, false)).not.toBe('HF_PATH_REFUSED');
});

test('the folder itself may be reached by a link', async () => {
  expect(await on('shop.csv', true, 'mounted')).toBe('/mounted/shop.csv');
  expect(await on('missing.csv', true, 'mounted')).toBe('/mounted/missing.csv');
  expect(await on('link.csv', true, 'mounted')).toBe('HF_PATH_REFUSED');
});
