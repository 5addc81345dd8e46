import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { parse } from 'yaml';
import { randomNumbers } from '../../base/math/random-numbers.ts';
import { openFile } from '../../cli/init/source.ts';
import type { InitReport } from '../../cli/terminal/init-report.ts';
import { holdfast, NOW, type ProgramSpec } from './workspace.ts';

/** A folder in which files become programs. */
export interface InitFolder extends AsyncDisposable {
  at(name: string): string;
  /** Writes a file of these lines, in its own folder, and resolves to its path. */
  csv(lines: readonly string[], name?: string): Promise<string>;
  /** `init` of a file into `program.yaml`, replacing it; it has to succeed. */
  report(file: string, ...options: string[]): Promise<InitReport>;
  /** `init` of a file, whatever comes of it. */
  init(file: string, ...options: string[]): ReturnType<typeof holdfast>;
  /** What `init` says when it refuses a file. */
  refusal(file: string, ...options: string[]): Promise<string>;
  /** Spec of the program that was written. */
  spec(): Promise<ProgramSpec>;
  /** Query of its connector. */
  query(): Promise<string>;
  /** Number of customers that the query finds in a file, by default that of `csv`. */
  customers(file?: string): Promise<number>;
  /** What the query gives in a column, of each customer of a file. */
  values(column: string, file: string): Promise<unknown[]>;
  /** Rows that each stage of a dry run handed on. */
  run(...options: string[]): Promise<Record<string, number>>;
}

export async function initFolder(): Promise<InitFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-init-'));
  const at = (name: string) => join(folder, name);
  const init = (file: string, options: readonly string[]) =>
    holdfast(['init', file, '-o', at('program.yaml'), '--force', '--output', 'json', ...options]);
  const spec = async () => parse(await readFile(at('program.yaml'), 'utf8')).spec as ProgramSpec;
  const self: InitFolder = {
    at,
    spec,
    async csv(lines, name = 'customers.csv') {
      await writeFile(at(name), `${lines.join('\n')}\n`);
      return at(name);
    },
    async report(file, ...options) {
      const { status, stdout, stderr } = await init(file, options);
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      return JSON.parse(stdout) as InitReport;
    },
    init: (file, ...options) => init(file, options),
    async refusal(file, ...options) {
      const { status, stderr } = await init(file, options);
      expect(status).toBe(78);
      return stderr;
    },
    async query() {
      return (await spec())['dataConnectors'][0].config.query as string;
    },
    async values(column, file) {
      const resources = { threads: 1, memoryMb: 256 };
      const options = { scratchFolder: folder, resources, signal: new AbortController().signal };
      await using source = await openFile(file, undefined, true, options);
      const rows = await source.engine.rows<{ value: unknown }>(
        `SELECT ${column} AS value FROM (${await self.query()}) ORDER BY customer_id`,
      );
      return rows.map(({ value }) => value);
    },
    async customers(file = at('customers.csv')) {
      const resources = { threads: 1, memoryMb: 256 };
      const options = { scratchFolder: folder, resources, signal: new AbortController().signal };
      await using source = await openFile(file, undefined, true, options);
      const [row] = await source.engine.rows<{ count: string }>(
        `SELECT count(*) AS count FROM (${await self.query()})`,
      );
      return Number(row?.count);
    },
    async run(...options) {
      const file = at('program.yaml');
      expect(await holdfast(['validate', file])).toMatchObject({ status: 0 });
      const where = ['--now', NOW, '--output', 'json', '--dry-run', '--data', at('state')];
      const ran = await holdfast(['run', file, ...where, ...options]);
      expect({ status: ran.status, stderr: ran.status === 0 ? '' : ran.stderr }).toEqual({ status: 0, stderr: '' });
      const { stages } = JSON.parse(ran.stdout) as { stages: { name: string; rowsOut: number }[] };
      return Object.fromEntries(stages.map(({ name, rowsOut }) => [name, rowsOut]));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  return self;
}

/** A customer who leaves the sooner, the longer they have been idle. */
export interface Person {
  readonly id: string;
  /** Days since the last login. */
  readonly idle: number;
  readonly spend: number;
  readonly left: boolean;
  /** From 0 to 1, of no meaning. */
  readonly chance: number;
}

/** The same people every time. */
export function people(count: number, seed = 1): Person[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, (_, index) => {
    const idle = Math.floor(random() * 120);
    const left = random() < 1 / (1 + Math.exp(2.5 - idle / 30));
    const spend = Math.round(5000 + random() * 90_000) / 100;
    return { id: `C${String(index).padStart(5, '0')}`, idle, spend, left, chance: random() };
  });
}

/** Lines of a file with `customer_id,days_inactive,total_spend` and columns of its own. */
export function lines(
  customers: readonly Person[],
  columns: Readonly<Record<string, (person: Person, index: number) => string | number>>,
): string[] {
  return [
    ['customer_id', 'days_inactive', 'total_spend', ...Object.keys(columns)].join(','),
    ...customers.map((person, index) =>
      [person.id, person.idle, person.spend, ...Object.values(columns).map((of) => of(person, index))].join(','),
    ),
  ];
}
