import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openServerLog } from './server-log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-log-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['a full disk', 'FATAL:  could not write to file "pg_wal/xlogtemp.1": No space left on device', 'HF_DISK_FULL'],
  ['a folder of somebody else', 'FATAL:  data directory "/d" has wrong ownership', 'HF_DATA_FOLDER'],
  ['a folder of another version', 'FATAL:  database files are incompatible with server', 'HF_DATA_FOLDER'],
  [
    'a user without an entry',
    'initdb: could not look up effective user ID 61234: user does not exist',
    'HF_DATABASE_REFUSED',
  ],
  [
    'anything else',
    'FATAL:  could not create shared memory segment: Function not implemented',
    'HF_DATABASE_UNREACHABLE',
  ],
])('%s is told by what the server wrote since it was started', async (_sentence, line, code) => {
  const file = join(folder, 'postgres.log');
  await writeFile(file, 'FATAL:  No space left on device, an hour ago\nPermission denied, an hour ago\n');
  const log = openServerLog(file);
  await appendFile(file, `LOG:  starting\n${line}\n`);
  expect(log.failure('it failed')).toMatchObject({ code, cause: { message: `LOG:  starting\n${line}` } });
  log.close();
});

test('the log does not grow without end', async () => {
  const file = join(folder, 'postgres.log');
  await writeFile(file, Buffer.alloc(5 * 1024 * 1024));
  openServerLog(file).close();
  expect((await stat(file)).size).toBe(0);
});
