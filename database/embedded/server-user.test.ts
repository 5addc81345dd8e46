import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { locateBinaries, type PostgresBinaries } from './binaries.ts';
import { COPY_PLACES, copyBinaries, removeCopies } from './binaries-copy.ts';
import { startEmbeddedPostgres } from './embedded.ts';
import { chooseServerUser, unprivileged } from './server-user.ts';

const NOBODY = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';
const POSTGRES = 'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash';

test.each([
  [
    'root hands over to the user postgres where there is one',
    `root:x:0:0::/root:/bin/sh\n${NOBODY}\n${POSTGRES}\n`,
    { uid: 101, gid: 104 },
  ],
  ['else to nobody', `root:x:0:0::/root:/bin/sh\n${NOBODY}\n`, { uid: 65_534, gid: 65_533 }],
  ['else to any user but root', 'root:x:0:0::/root:/bin/sh\n\nbin:x:2:3::/bin:\n', { uid: 2, gid: 3 }],
  ['and to none where root is alone', 'root:x:0:0::/root:/bin/sh\n+::::::\n', undefined],
])('%s', (_sentence, passwd, owner) => {
  expect(unprivileged(passwd)).toEqual(owner);
});

const root = process.getuid?.() === 0;
if (!root) console.warn('another user for root: skipped, since it needs root');
(root ? describe : describe.skip)('in a folder that only root can pass', () => {
  let closed: string;
  beforeEach(async () => {
    closed = await mkdtemp(join(tmpdir(), 'holdfast-closed-'));
  });
  afterEach(() => rm(closed, { recursive: true }));

  /** As an npm of root's with umask 077 installs it. */
  async function closedInstallation(): Promise<PostgresBinaries> {
    const installed = dirname(dirname((await locateBinaries()).initdb));
    const bin = join(closed, 'postgres', 'bin');
    for (const part of ['bin', 'lib', 'share'])
      await cp(join(installed, part), join(closed, 'postgres', part), { recursive: true, verbatimSymlinks: true });
    for (const program of await readdir(bin)) await chmod(join(bin, program), 0o700);
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  }

  test('a data folder serves, and belongs to a user who cannot reach it', async () => {
    const folder = join(closed, 'state');
    const first = await startEmbeddedPostgres({ folder });
    const second = await startEmbeddedPostgres({ folder });
    expect(second.url).toBe(first.url);
    expect((await stat(join(folder, 'data'))).uid).not.toBe(0);
    await second.stop();
    await first.stop();
    expect(await readdir(folder)).toEqual(['data', 'postgres.log']);
  });

  test('a data folder keeps the user it was made for, with an entry in /etc/passwd or without', async () => {
    await (await startEmbeddedPostgres({ folder: closed })).stop();
    spawnSync('chown', ['-R', '61234:61235', join(closed, 'data')]);
    await (await startEmbeddedPostgres({ folder: closed })).stop();
    expect((await stat(join(closed, 'data', 'postmaster.opts'))).uid).toBe(61_234);
  });

  test('programs are run from a copy that others may read, made once and removed with clean', async () => {
    const binaries = await closedInstallation();
    const user = await chooseServerUser(binaries, closed);
    const initdb = user.spawn('initdb', closed, ['--show'], 'ignore');
    expect(await once(initdb, 'exit')).toEqual([0, null]);

    const copies = await Promise.all(COPY_PLACES.map((place) => copyBinaries(binaries, place)));
    expect(await copyBinaries(binaries, COPY_PLACES[0] as string)).toEqual(copies[0]);
    await removeCopies(binaries);
    for (const copy of copies) {
      if (copy !== undefined) await expect(stat(copy.initdb)).rejects.toThrow('ENOENT');
    }
  });

  test('a copy that others could have made, or can change, is not run', async () => {
    const binaries = await closedInstallation();
    await mkdir(join(closed, 'holdfast-postgres'), { mode: 0o777 });
    await chmod(join(closed, 'holdfast-postgres'), 0o777);
    expect(await copyBinaries(binaries, closed)).toBeUndefined();
  });
});
