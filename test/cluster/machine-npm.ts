import { readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join, sep } from 'node:path';
import { run } from './command.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The machine's own npm and Node: those of the project come first on the PATH of npm's scripts, and know no settings. */
const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => folder !== '' && !`${folder}${sep}`.startsWith(`${ROOT}${sep}`))
  .join(delimiter);

/** By default npm waits for five minutes for a connection that is dead. What the machine says comes later, and counts. */
const PATIENCE = ['fetch-timeout=60000', 'fetch-retries=5'];

/** Folder of the npm that the machine has. */
export async function npmFolder(): Promise<string> {
  const command = await run('sh', ['-c', 'command -v npm'], { PATH });
  return dirname(dirname(await realpath(command.trim())));
}

/**
 * The machine's npm settings as the text of one .npmrc: which registry, how to be let in, whose certificates to trust. It may
 * hold secrets.
 */
export async function npmSettings(): Promise<string> {
  const files = [await setting('globalconfig'), await setting('userconfig')];
  const written = (await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))).join('\n');
  return [...PATIENCE, ...portable(written), ...fromEnvironment(), ...(await certificates())]
    .map((line) => `${line}\n`)
    .join('');
}

async function setting(name: string): Promise<string> {
  return (await run('npm', ['config', 'get', name], { PATH })).trim();
}

/** Without what names files of this machine, and with what it has in its environment. */
function portable(written: string): readonly string[] {
  return written
    .split('\n')
    .filter((line) => !/^\s*(cafile|prefix|cache|nodedir|globalconfig|userconfig)\s*=/.test(line))
    .map((line) => line.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => process.env[name] ?? whole));
}

function fromEnvironment(): readonly string[] {
  return Object.entries(process.env).flatMap(([name, value]) => {
    const key = /^npm_config_(registry|.*proxy|strict_ssl|.*:registry|\/\/.*)$/i.exec(name)?.[1];
    if (key === undefined || !value) return [];
    return [`${/[/@]/.test(key) ? key : key.toLowerCase().replaceAll('_', '-')}=${value}`];
  });
}

async function certificates(): Promise<readonly string[]> {
  const configured = await setting('cafile');
  const file = configured === 'null' ? process.env['NODE_EXTRA_CA_CERTS'] : configured;
  const text = file ? await readFile(file, 'utf8').catch(() => '') : '';
  const found = text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  return found.map((one) => `ca[]=${JSON.stringify(one)}`);
}
