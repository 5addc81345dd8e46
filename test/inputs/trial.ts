import { spawn } from 'node:child_process';
import { cp, glob, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { literal, openEngine } from '../../base/duckdb/engine.ts';

/** One input and what must come of it. */
export interface Case {
  /** Name of the input's folder. */
  readonly input: string;
  readonly right: string;
  /** Resolves to what falls short, or to nothing. */
  check(trial: Trial): Promise<string | undefined>;
  /** Why it is not tried here. */
  readonly skip?: string;
}

export interface CommandEnd {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as a person at a terminal sees them. */
  readonly said: string;
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly seconds?: number;
}

/** What DuckDB answers: large numbers come as text. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** A copy of an input in a folder of its own. */
export interface Trial extends AsyncDisposable {
  readonly folder: string;
  path(name: string): string;
  /** Runs the command line as a whole process; one that does not end within its seconds is an error. */
  holdfast(args: readonly string[], options?: CommandOptions): Promise<CommandEnd>;
  /** Rows of a Parquet file of the newest run in a data folder, such as `extract/1/candidates.parquet`. */
  artifact(data: string, file: string, select?: string): Promise<Row[]>;
  /** Statements on a DuckDB whose files are those of the folder. */
  duckdb(...statements: readonly string[]): Promise<Row[]>;
}

const HOLDFAST = join(import.meta.dirname, '../../bin/holdfast');
const LIMITS = { threads: 2, memoryMb: 1024 };

export async function openTrial(inputs: string, input: string): Promise<Trial> {
  const root = await mkdtemp(join(tmpdir(), `holdfast-input-${input}-`));
  const folder = join(root, input);
  await cp(join(inputs, input), folder, { recursive: true });
  const path = (name: string) => join(folder, name);
  await mkdir(path('scratch'));
  const duckdb = async (...statements: readonly string[]) => {
    await using engine = await openEngine({ ...LIMITS, scratchFolder: path('scratch') });
    let rows: Row[] = [];
    for (const statement of statements) rows = await engine.rows<Row>(statement);
    return rows;
  };
  return {
    folder,
    path,
    duckdb,
    holdfast: (args, options = {}) => run(args, folder, options),
    async artifact(data, file, select = '*') {
      const found: string[] = [];
      for await (const name of glob(join(folder, data, 'artifacts/*/*/*', file))) found.push(name);
      const newest = found.sort().at(-1);
      if (newest === undefined) throw new Error(`no run in ${data} left ${file}`);
      return await duckdb(`SELECT ${select} FROM read_parquet(${literal(newest)})`);
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

function run(
  args: readonly string[],
  cwd: string,
  { environment = {}, seconds = 180 }: CommandOptions,
): Promise<CommandEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(HOLDFAST, args, {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`holdfast ${args.join(' ')} did not end within ${seconds} s`));
    }, seconds * 1000);
    child.on('error', reject).on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr, said: `${stdout}\n${stderr}` });
    });
  });
}

/** Short for checks: a sentence when something is not so. */
export function unless(so: boolean, sentence: string): string | undefined {
  return so ? undefined : sentence;
}

/** The first that falls short. */
export function first(...verdicts: readonly (string | undefined)[]): string | undefined {
  return verdicts.find((verdict) => verdict !== undefined);
}

/** Ended with that status and says each of the patterns. */
export function ends(end: CommandEnd, status: number | readonly number[], ...says: readonly RegExp[]) {
  const statuses = typeof status === 'number' ? [status] : status;
  const silent = says.filter((pattern) => !pattern.test(end.said));
  if (statuses.includes(end.status ?? -1) && silent.length === 0) return undefined;
  const tail = end.said.trim().split('\n').slice(-4).join(' / ').slice(0, 600);
  const missing = silent.length === 0 ? '' : `, without ${silent.join(', ')}`;
  return `ended with ${end.status}${missing}: ${tail}`;
}
