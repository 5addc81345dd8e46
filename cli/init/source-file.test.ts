import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { refuseOddFile } from './source-file.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-odd-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'closed.csv'), 'customer_id\nC1\n', { mode: 0 });
  if (isRoot) process.seteuid?.(NOBODY);
});
afterEach(async () => {
  if (isRoot) process.seteuid?.(0);
  await rm(folder, { recursive: true, force: true });
});

test('a file without the right to read it is refused as such, and is no fault of the program', async () => {
  await expect(refuseOddFile(join(folder, 'closed.csv'), 'closed.csv')).rejects.toMatchObject({
    code: 'HF_SOURCE_UNSUITABLE',
    message: 'closed.csv may not be read by this user (EACCES).',
  });
});
