import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../errors.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** As whom the embedded Postgres runs: it refuses to run as root. */
export interface ServerUser {
  /** Who must own the data folder; undefined when that is ourselves. */
  readonly dataOwner: Owner | undefined;
  /** Who must own the folder of the socket; undefined when that is ourselves. */
  readonly socketOwner: Owner | undefined;
  /** Starts a program in a session of its own, so that the terminal's Ctrl-C does not reach it. */
  spawn(program: string, parameters: readonly string[], output: number | 'ignore'): ChildProcess;
}

/** Ambient, so that it survives the change of user and the exec. */
const KEEP_DAC_OVERRIDE = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'];

/**
 * Ourselves, unless we are root: then `postgres` or `nobody`. Where that user cannot reach the binaries or the
 * folder (a clone under /root, say), it keeps CAP_DAC_OVERRIDE and nothing else of root's.
 * @throws HF_DATA_FOLDER when no user can run it
 */
export async function chooseServerUser(postgres: string, folder: string): Promise<ServerUser> {
  if (process.getuid?.() !== 0) {
    return {
      dataOwner: undefined,
      socketOwner: undefined,
      spawn: (program, parameters, output) => launch(program, parameters, output),
    };
  }
  const owner = unprivileged(await readFile('/etc/passwd', 'utf8'));
  const { uid, gid } = owner;
  const plain: ServerUser = {
    dataOwner: owner,
    socketOwner: owner,
    spawn: (program, parameters, output) => launch(program, parameters, output, owner),
  };
  const capable: ServerUser = {
    dataOwner: owner,
    // It can write into root's folder, so nobody but root need be able to connect.
    socketOwner: undefined,
    spawn: (program, parameters, output) =>
      launch(
        'setpriv',
        [
          '--reuid',
          `${uid}`,
          '--regid',
          `${gid}`,
          '--clear-groups',
          ...KEEP_DAC_OVERRIDE,
          '--',
          program,
          ...parameters,
        ],
        output,
      ),
  };
  for (const user of [plain, capable]) {
    if (await canRun(user, postgres, folder)) return user;
  }
  throw new HoldfastError(
    'HF_DATA_FOLDER',
    `Postgres does not run as root, and user ${uid} cannot reach ${folder} or the installed binaries; run as an ordinary user, or set DATABASE_URL`,
  );
}

/** The entry of `postgres`, else of `nobody`, else the ids that nobody has everywhere. */
export function unprivileged(passwd: string): Owner {
  const entries = passwd.split('\n').map((line) => line.split(':'));
  const entry = ['postgres', 'nobody'].map((name) => entries.find((fields) => fields[0] === name)).find(Boolean);
  return { uid: Number(entry?.[2] ?? 65_534), gid: Number(entry?.[3] ?? 65_534) };
}

function launch(
  program: string,
  parameters: readonly string[],
  output: number | 'ignore',
  owner?: Owner,
): ChildProcess {
  return spawn(program, parameters, {
    ...owner,
    detached: true,
    // Our own working directory may be closed to that user.
    cwd: '/',
    // Nothing else of our environment: it may hold secrets.
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', output, output],
  });
}

function canRun(user: ServerUser, postgres: string, folder: string): Promise<boolean> {
  const child = user.spawn(
    '/bin/sh',
    ['-c', '"$1" --version >/dev/null && test -x "$2"', 'sh', postgres, folder],
    'ignore',
  );
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (status) => resolve(status === 0));
  });
}
