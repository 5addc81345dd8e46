import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { forShell } from '../../base/text/printable.ts';
import type { PostgresBinaries } from './binaries.ts';
import { COPY_PLACES, copyBinaries } from './binaries-copy.ts';
import { partialPrefix } from './partial-folder.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** As whom the embedded Postgres runs: it refuses to run as root. */
export interface ServerUser {
  /** Who must own the data folder and the folder of the socket; undefined when that is ourselves. */
  readonly owner: Owner | undefined;
  /** For the socket: a temporary folder that the user can pass. */
  readonly temporaryFolder: string;
  /** Starts a program over a data folder in a session of its own, so that the terminal's Ctrl-C does not reach it. */
  spawn(
    program: keyof PostgresBinaries,
    data: string,
    parameters: readonly string[],
    output: number | 'ignore',
  ): ChildProcess;
}

/** Leads a process to the folder it was started in, whatever lies closed above that folder. */
const WORKING_FOLDER = '/proc/self/cwd';

/**
 * Ourselves, unless we are root: then the owner of the data folder that is there, else `postgres` or `nobody`, with
 * nothing of root's. Where this user cannot reach a clone (under /root, say) it runs a copy of the programs, and has
 * the data folder as its working folder.
 * @throws HF_DATA_FOLDER when no user can run it; the message names the folder that cannot be passed
 */
export async function chooseServerUser(binaries: PostgresBinaries, folder: string): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return serverUser(binaries, tmpdir());
  const former = await ownerOf(join(folder, 'data'));
  const owner = former ?? unprivileged(await readFile('/etc/passwd', 'utf8'));
  if (owner === undefined) throw refusal('/etc/passwd knows no other user');
  const look = await mkdtemp(join(folder, partialPrefix()));
  try {
    await chown(look, owner.uid, owner.gid);
    return await reach(binaries, owner, look, former === undefined);
  } finally {
    await rm(look, { recursive: true, force: true });
  }
}

/** Tries, over an empty folder of the user's, all that will be done over the data folder beside it. */
async function reach(
  binaries: PostgresBinaries,
  owner: Owner,
  look: string,
  initialises: boolean,
): Promise<ServerUser> {
  const can = (command: string, ...parameters: string[]) =>
    succeeds(launch('/bin/sh', ['-c', command, 'sh', ...parameters], 'ignore', look, owner));
  if (!(await can('true'))) {
    throw refusal(`root cannot start it as user ${owner.uid} here (CAP_SETUID and CAP_SETGID are needed)`);
  }
  const closed = async (path: string) => {
    for (const above of foldersAbove(path)) {
      if (!(await can('test -x "$1"', above))) return refusal(`user ${owner.uid} cannot pass ${above}`, above);
    }
    return refusal(`user ${owner.uid} cannot use ${path}`);
  };

  const data = (await firstThat([look, WORKING_FOLDER], (path) => can('test -w "$1"', path))) ?? look;
  if (!(await can('test -w "$1"', data))) throw await closed(look);
  const temporaryFolder = await firstThat([tmpdir(), '/tmp', '/var/tmp'], (place) => can('test -x "$1"', place));
  if (temporaryFolder === undefined) throw await closed(join(tmpdir(), 'socket'));
  // It asks access(2) whether it may read and run itself and the server, and stops before it makes anything.
  const runs = ({ initdb, postgres }: PostgresBinaries) =>
    initialises ? can('"$1" --show --pgdata="$2"', initdb, data) : can('"$1" --version', postgres);
  if (await runs(binaries)) return serverUser(binaries, temporaryFolder, owner, data === WORKING_FOLDER);
  for (const place of COPY_PLACES) {
    const copy = await copyBinaries(binaries, place);
    if (copy !== undefined && (await runs(copy)))
      return serverUser(copy, temporaryFolder, owner, data === WORKING_FOLDER);
  }
  throw await closed(binaries.initdb);
}

function serverUser(
  binaries: PostgresBinaries,
  temporaryFolder: string,
  owner?: Owner,
  byWorkingFolder = false,
): ServerUser {
  return {
    owner,
    temporaryFolder,
    spawn: (program, data, parameters, output) =>
      launch(binaries[program], ['-D', byWorkingFolder ? WORKING_FOLDER : data, ...parameters], output, data, owner),
  };
}

const refusal = (reason: string, folder?: string) =>
  new HoldfastError(
    'HF_DATA_FOLDER',
    `the embedded Postgres does not run as root, and ${reason}; ${folder === undefined ? '' : `let others pass it (chmod o+x ${forShell(folder)}), `}run as an ordinary user, or set DATABASE_URL`,
  );

/** The entry of `postgres`, else of `nobody`, else of any user but root: initdb asks for an entry. */
export function unprivileged(passwd: string): Owner | undefined {
  const entries = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && Number.isInteger(gid));
  const entry =
    entries.find(({ name }) => name === 'postgres') ?? entries.find(({ name }) => name === 'nobody') ?? entries[0];
  return entry === undefined ? undefined : { uid: entry.uid, gid: entry.gid };
}

/** Whoever a data folder was made for; undefined where there is none, or root has it. */
async function ownerOf(data: string): Promise<Owner | undefined> {
  const found = await stat(data).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

/** From the root down. */
function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [...foldersAbove(above), above];
}

async function firstThat<T>(
  candidates: readonly T[],
  holds: (candidate: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const candidate of candidates) if (await holds(candidate)) return candidate;
  return undefined;
}

function launch(
  program: string,
  parameters: readonly string[],
  output: number | 'ignore',
  folder: string,
  owner?: Owner,
): ChildProcess {
  return spawn(program, parameters, {
    ...owner,
    detached: true,
    // Entered before the user changes.
    cwd: folder,
    // Nothing else of our environment: it may hold secrets.
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', output, output],
  });
}

function succeeds(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (status) => resolve(status === 0));
  });
}
