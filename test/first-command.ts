import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * node test/first-command.ts: `make demo` and a test of the embedded server from a clone under a folder of mode 0700,
 * as root and as an ordinary user, with and without a user `postgres` and the program `setpriv`. The last line is
 * "N passed, N failed, N skipped".
 */
const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const PATIENCE_MS = 240_000;
/** A number that is nobody's on any machine we know; it gets its entry where it runs, since initdb asks for one. */
const ORDINARY = { uid: 61_234, gid: 61_234 };
const ENTRY = `ordinary:x:${ORDINARY.uid}:${ORDINARY.gid}:::/bin/sh`;
const NOBODY = { uid: 65_534, gid: 65_534 };
const DEMO = 'make demo CUSTOMERS=2000';
const EMBEDDED_TEST = `npm test --silent -- database/embedded/embedded.test.ts -t 'what was committed is there'`;

/** What a machine lacks, hidden in a private mount namespace, so that the machine itself stays as it is. */
interface Machine {
  readonly name: string;
  readonly lacks: readonly ('postgres' | 'setpriv')[];
}
const MACHINES: readonly Machine[] = [
  { name: 'on a machine as it is', lacks: [] },
  { name: 'without a user postgres', lacks: ['postgres'] },
  { name: 'without setpriv', lacks: ['setpriv'] },
  { name: 'without either', lacks: ['postgres', 'setpriv'] },
];

interface Case {
  readonly name: string;
  readonly clone: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Run first, as root, in the namespace. */
  readonly prepare: readonly string[];
  readonly command: string;
  /** Of what it prints and ends with, why it is not right. */
  fault(status: number | null, output: string): string | undefined;
}

const isRoot = process.getuid?.() === 0;
const hides = isRoot && spawnSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'holdfast-first-command-'));
chmodSync(folder, 0o711);
try {
  process.exitCode = await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<number> {
  const cases = isRoot
    ? [...casesAs('root'), ...refusal(), ...casesAs('an ordinary user')]
    : casesAs('an ordinary user');
  let failed = 0;
  for (const one of cases) {
    const begun = performance.now();
    const { status, output } = await run(one);
    const fault = one.fault(status, output);
    if (fault !== undefined) failed += 1;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(`${fault === undefined ? 'passed' : 'FAILED'}: ${one.name} (${seconds} s)\n`);
    if (fault !== undefined) process.stdout.write(`${fault}\n${output.slice(-4000)}\n`);
  }
  const skipped = hides ? 0 : 2 * (MACHINES.length - 1) * (isRoot ? 2 : 1) + (isRoot ? 1 : 2 * MACHINES.length);
  if (skipped > 0)
    process.stdout.write('skipped: nothing can be hidden, or be root, without root and its namespaces\n');
  process.stdout.write(`${cases.length - failed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed === 0 ? 0 : 1;
}

function casesAs(who: 'root' | 'an ordinary user'): Case[] {
  const user = isRoot && who !== 'root' ? (hides ? ORDINARY : NOBODY) : undefined;
  const clone = makeClone(join(folder, who.replaceAll(' ', '-')), user);
  return MACHINES.filter(({ lacks }) => hides || lacks.length === 0).flatMap((machine) =>
    [DEMO, EMBEDDED_TEST].map((command) => ({
      name: `as ${who}, ${machine.name}: ${command}`,
      clone,
      user,
      prepare: [users(machine), ...(machine.lacks.includes('setpriv') ? [hideSetpriv()] : [])],
      command: `${command} && ./bin/holdfast clean`,
      fault: (status, output) => {
        if (status !== 0) return `ended with ${status}`;
        return output.includes('HF_') ? 'says an error' : undefined;
      },
    })),
  );
}

/** Where no copy can be made either, the message says what is in the way and both ways out. */
function refusal(): Case[] {
  if (!hides) return [];
  const home = join(folder, 'closed');
  const noexec = (place: string) => `mount -t tmpfs -o noexec,mode=1777 tmpfs ${place}`;
  return [
    {
      name: 'as root, where no copy of the programs can run: the folder that is closed is named, and both ways out',
      clone: makeClone(home, undefined),
      user: undefined,
      prepare: [noexec('/var/cache'), noexec('/var/tmp'), `export TMPDIR=${home}`],
      command: DEMO,
      fault: (_status, output) =>
        /HF_DATA_FOLDER: .*as root, and user \d+ cannot pass (\S+); let others pass it \(chmod o\+x \1\), run as an ordinary user, or set DATABASE_URL/.exec(
          output,
        )?.[1] === home
          ? undefined
          : `does not name ${home} so`,
    },
  ];
}

/** What cannot be run is passed over on the PATH. */
function hideSetpriv(): string {
  const nothing = join(folder, 'nothing');
  writeFileSync(nothing, '', { mode: 0o644 });
  return `for file in $(which -a setpriv); do mount --bind ${nothing} "$(readlink -f "$file")" || true; done; ! command -v setpriv`;
}

/** Who is known on a machine. */
function users({ lacks }: Machine): string {
  if (!hides) return 'true';
  const entries = readFileSync('/etc/passwd', 'utf8').trimEnd().split('\n');
  const known = entries.filter((entry) => !lacks.some((name) => entry.startsWith(`${name}:`)));
  const passwd = join(folder, ['passwd', ...lacks].join('-'));
  writeFileSync(passwd, `${[...known, ENTRY].join('\n')}\n`, { mode: 0o644 });
  return `mount --bind ${passwd} /etc/passwd`;
}

/** A copy of this working tree, its packages linked rather than copied where that can be. */
function makeClone(home: string, owner: Case['user']): string {
  const clone = join(home, 'holdfast');
  mkdirSync(clone, { recursive: true, mode: 0o700 });
  const without = ['./node_modules', './.holdfast', './dist', './.git'].map((path) => `--exclude=${path}`).join(' ');
  must(`tar -C ${REPOSITORY} ${without} -cf - . | tar -C ${clone} -xf -`);
  if (owner !== undefined) {
    chownSync(home, owner.uid, owner.gid);
    must(`chown -R ${owner.uid}:${owner.gid} ${clone}`);
  }
  // Links are the same files: their owner stays.
  must(`cp -al ${REPOSITORY}node_modules ${clone}/ 2> /dev/null || cp -a ${REPOSITORY}node_modules ${clone}/`);
  // They are what make setup would install.
  rmSync(join(clone, 'node_modules', '.setup'), { force: true });
  writeFileSync(join(clone, 'node_modules', '.setup'), '');
  return clone;
}

function must(script: string): void {
  const { status, signal, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', timeout: 900_000 });
  if (status !== 0) throw new Error(`${script}: ${signal === null ? stderr : 'not done after 15 minutes'}`);
}

/** Everything that is started ends with it; at the latest when its time is over, which is said. */
async function run({ clone, user, prepare, command }: Case): Promise<{ status: number | null; output: string }> {
  const environment = { ...process.env, HOME: join(clone, '..'), npm_config_update_notifier: 'false' };
  const script = [...prepare, `cd ${clone}`, command].map((step) => `{ ${step}; }`).join(' && ');
  const asUser = `process.setgroups([]); process.setgid(${user?.gid}); process.setuid(${user?.uid}); process.exitCode = require('node:child_process').spawnSync('sh', ['-c', process.argv[1]], { stdio: 'inherit' }).status ?? 1`;
  const inNamespace = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const whole =
    user === undefined
      ? ['sh', '-c', script]
      : [
          'sh',
          '-c',
          `{ ${[...prepare, 'true'].join(' && ')}; } && exec "$0" -e "$1" "$2"`,
          process.execPath,
          asUser,
          `cd ${clone} && ${command}`,
        ];
  const [program = '', ...parameters] = hides ? [...inNamespace, ...whole] : whole;
  const child = spawn(program, parameters, { env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  return finish(child, command);
}

function finish(child: ChildProcess, command: string): Promise<{ status: number | null; output: string }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      output += `\nnot within ${PATIENCE_MS / 1000} s: the end of ${command}`;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, PATIENCE_MS);
    child.once('error', (error) => {
      output += String(error);
    });
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, output });
    });
  });
}
