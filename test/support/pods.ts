import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from '@jest/globals';
import { PIPELINES } from '../../contract/pipelines.ts';
import { revisionDigest, revisionText } from '../../contract/revision.ts';
import { loadManifests, type RetentionProgramSpec, validateManifest } from '../../crds/index.ts';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../database/embedded/embedded.ts';
import { type MainIo, main } from '../../jobs/task-command.ts';
import { type ProgramChanges, SLOT, workspace } from './workspace.ts';

const MAIN = join(import.meta.dirname, '../../jobs/main.ts');

/** The tasks of a batch whose work is not divided, in order. */
export const BATCH_TASKS = PIPELINES.batch.stages.flatMap(({ name, tasks }) =>
  tasks.filter(({ does }) => does !== 'shards').map((task) => `batch/${name}/${task.name}`),
);

/** A pod of a run: what it is told, and where it says how it went. */
export interface Pod {
  readonly environment: Record<string, string>;
  readonly log: string;
}

/** A cluster for tasks, as far as they see one: a database, a volume, and environments to run in. */
export interface Pods extends AsyncDisposable {
  readonly server: EmbeddedPostgres;
  readonly database: Database;
  /** Id of the program of the present test. */
  readonly program: string;
  /** Begins a test: another program, in a place of its own. */
  next(): Promise<void>;
  /** Ends what a test has launched and not waited for. */
  endAll(): void;
  /** The environment of a run's pods, with a program of the test's own. */
  podOf(changes?: ProgramChanges, environment?: Record<string, string>): Promise<Pod>;
  /** Does a task in this process. */
  perform(task: string, pod: Pod, change?: Partial<MainIo>): Promise<{ status: number; report: any; said: string }>;
  /** Does a task in a process of its own, as a pod would. */
  launch(task: string, pod: Pod): { readonly child: ChildProcess; readonly ended: Promise<number | null> };
  /** Rows of a query in which `$program` is the program's id. */
  rows(sql: string): Promise<any[]>;
}

/** Does tasks one after the other, each of which has to succeed, and gives what each reports. */
export async function performAll(pods: Pods, pod: Pod, tasks: readonly string[] = BATCH_TASKS): Promise<any[]> {
  const reports = [];
  for (const task of tasks) {
    const { status, report } = await pods.perform(task, pod);
    expect({ task, status, report }).toMatchObject({ status: 0 });
    reports.push(report);
  }
  return reports;
}

export async function openPods(): Promise<Pods> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-pods-'));
  const files = await workspace();
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres') });
  const database = await connect(server.url, { applicationName: 'test', maximum: 8 });
  let children: ChildProcess[] = [];
  let tests = 0;
  const place = () => join(folder, String(tests));
  return {
    server,
    database,
    get program() {
      return `keep-${tests}`;
    },
    async next() {
      tests += 1;
      await mkdir(place());
    },
    endAll() {
      for (const child of children) child.kill('SIGKILL');
      children = [];
    },
    async podOf(changes = () => {}, environment = {}) {
      const file = await files.program((spec) => {
        spec['programId'] = `keep-${tests}`;
        changes(spec);
      }, `program-${tests}.yaml`);
      const { resolved } = validateManifest(loadManifests(await readFile(file, 'utf8'), file)[0]!);
      const revision = { schemaVersion: 'v1alpha1', spec: resolved?.spec as RetentionProgramSpec } as const;
      await writeFile(join(place(), 'revision.json'), revisionText(revision));
      const log = join(place(), 'termination-log');
      return {
        log,
        environment: {
          HOLDFAST_NAMESPACE: 'shop',
          HOLDFAST_RUN: 'keep-1',
          HOLDFAST_RUN_UID: 'uid-1',
          HOLDFAST_SLOT: SLOT,
          HOLDFAST_TRIGGER: 'schedule',
          HOLDFAST_REVISION: join(place(), 'revision.json'),
          HOLDFAST_REVISION_DIGEST: revisionDigest(revision),
          HOLDFAST_ARTIFACTS: join(place(), 'artifacts'),
          HOLDFAST_SCRATCH: join(place(), 'scratch'),
          HOLDFAST_FILES: files.folder,
          HOLDFAST_TERMINATION_LOG: log,
          DATABASE_URL: server.url,
          ...environment,
        },
      };
    },
    async perform(task, { environment, log }, change = {}) {
      let said = '';
      const status = await main([task], {
        environment,
        stderr: { write: (line: string) => (said += line) },
        signal: new AbortController().signal,
        now: () => new Date('2026-11-23T02:00:05Z'),
        elapsed: () => performance.now(),
        ...change,
      });
      return { status, report: JSON.parse(await readFile(log, 'utf8')), said };
    },
    launch(task, { environment }) {
      const child = spawn(process.execPath, [MAIN, task], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
      children.push(child);
      const said = text(child.stderr);
      const ended = once(child, 'exit').then(async ([status]) => {
        await said;
        return status as number | null;
      });
      return { child, ended };
    },
    rows: async (sql) => (await database.pool.query(sql.replaceAll('$program', `keep-${tests}`))).rows,
    async [Symbol.asyncDispose]() {
      await database.close();
      await server.stop();
      await files[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
