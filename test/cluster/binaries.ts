import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from './build.ts';
import { downloadProgram } from './download.ts';
import { lock } from './lock.ts';
import { KUBERNETES_VERSION, PROGRAMS, type ProgramName } from './programs.ts';

export { CONTROL_PLANE } from './programs.ts';

/** Paths of programs by name. */
export type Binaries<Name extends ProgramName = ProgramName> = Readonly<Record<Name, string>>;

/** Why a program is not to be had on this machine: the tests that need it are skipped. */
export class BinariesMissing extends Error {}

/**
 * Finds the programs of a cluster: in the folder KUBEBUILDER_ASSETS, else in the cache, else released ones by
 * download, else built from Go modules (some minutes, once per machine).
 * @throws BinariesMissing where there is no way to any of them
 */
export async function findBinaries<Name extends ProgramName>(names: readonly Name[]): Promise<Binaries<Name>> {
  const found: Record<string, string> = {};
  for (const name of names) found[name] = await find(name);
  return found as Binaries<Name>;
}

async function find(name: ProgramName): Promise<string> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && (await isProgram(join(assets, name)))) return join(assets, name);
  const folder = cacheFolder();
  const cached = join(folder, name);
  if (await isProgram(cached)) return cached;
  await mkdir(folder, { recursive: true });
  using _ = await lock(join(folder, 'lock'));
  // Another process may have been faster.
  if (await isProgram(cached)) return cached;
  if (await downloadProgram(PROGRAMS[name], cached)) return cached;
  if (!(await hasGo())) {
    throw new BinariesMissing(
      `${name} is neither in KUBEBUILDER_ASSETS nor in ${folder}, it cannot be downloaded, and there is no Go to build it`,
    );
  }
  await buildProgram(PROGRAMS[name], cached);
  return cached;
}

function cacheFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'holdfast', 'kubernetes', KUBERNETES_VERSION);
}

async function isProgram(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function hasGo(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('go', ['version'], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('exit', (status) => resolve(status === 0));
  });
}

/** node test/cluster/binaries.ts [PROGRAM…]: all of them unless some are named. */
if (import.meta.main) {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !Object.hasOwn(PROGRAMS, name));
  if (unknown.length > 0) throw new Error(`no such program: ${unknown.join(', ')}`);
  const names = (asked.length > 0 ? asked : Object.keys(PROGRAMS)) as ProgramName[];
  try {
    for (const [name, file] of Object.entries(await findBinaries(names))) console.log(name, file);
  } catch (error) {
    if (!(error instanceof BinariesMissing)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
