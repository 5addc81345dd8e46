import { cp, lutimes, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../database/client/database.ts';
import { databaseIdentity } from '../../database/client/identity.ts';
import { type Pruned, type PruneRequest, pruneProgram } from '../../jobs/prune/prune.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import type { RunFolders } from '../../providers/artifacts/run-folders.ts';
import type { ArtifactStore } from '../../providers/artifacts/store.ts';

const DAY_MS = 86_400_000;

/** When the tests prune: a day that is past by every machine's clock. */
export const TODAY = new Date('2026-06-01T00:00:00Z');
export const daysAgo = (days: number) => new Date(TODAY.getTime() - days * DAY_MS);

/** A run as a test makes it up. */
export interface MadeRun {
  readonly run: string;
  readonly pipeline?: string;
  readonly phase?: 'Running' | 'Succeeded' | 'Failed' | 'Interrupted';
  readonly trigger?: 'schedule' | 'manual' | 'backfill';
  /** Days ago that it was as of, and ended. */
  readonly age: number;
  readonly published?: boolean;
  readonly current?: boolean;
  readonly extractRows?: number;
  readonly candidates?: number;
  /** Days from today until they expire; below zero they have. */
  readonly expiresIn?: number;
  readonly decisions?: number;
  /** Without a folder it was run elsewhere. */
  readonly folder?: boolean;
}

/** What is there of a program. */
export interface Remains {
  readonly runs: readonly string[];
  readonly folders: readonly string[];
  readonly candidates: Readonly<Record<string, number>>;
  readonly decisions: Readonly<Record<string, number>>;
}

/** A program's state that a test makes up, in a real database and a real folder. */
export interface PruneWorld extends AsyncDisposable {
  readonly root: string;
  readonly folders: RunFolders;
  readonly namespace: string;
  make(run: MadeRun): Promise<void>;
  /** Makes the folder of a run without telling the database. */
  makeFolder(run: string, age: number, owner?: string | null): Promise<string>;
  prune(change?: Partial<PruneRequest>): Promise<Pruned>;
  remains(): Promise<Remains>;
}

let worlds = 0;

export async function pruneWorld(database: Database): Promise<PruneWorld> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-prune-'));
  const store = openFolderStore(root);
  const namespace = `world-${++worlds}`;
  const key = { namespace, owner: 'keep' };
  const identity = (await databaseIdentity(database)) ?? null;
  let sequence = 0;
  await makeTemplate(store);
  await database.pool.query('INSERT INTO holdfast.programs VALUES ($1, $2, 1000)', [namespace, 'keep']);

  async function makeFolder(run: string, age: number, owner: string | null = identity): Promise<string> {
    const of = { ...key, run };
    if (owner !== null) await store.runFolders.claim(of, owner);
    const folder = join(root, namespace, 'keep', run);
    await cp(join(root, 'template', 'keep', 'run'), folder, { recursive: true });
    await writeFile(join(folder, 'revision.json'), '{}\n');
    await growOld(folder, daysAgo(age));
    return folder;
  }

  return {
    root,
    namespace,
    folders: store.runFolders,
    makeFolder,
    async make(made) {
      const { run, age, pipeline = 'batch', phase = 'Succeeded', trigger = 'schedule' } = made;
      const { candidates = 0, expiresIn = -1, decisions = 0 } = made;
      const at = daysAgo(age);
      const ended = phase === 'Running' ? null : at;
      const { pool } = database;
      await pool.query(
        `INSERT INTO holdfast.runs (namespace, program, run, pipeline, slot, sequence, attempt, trigger, revision, phase,
           started_at, finished_at, published_at, extract_rows)
         VALUES ($1, 'keep', $2, $3, $4, $5, 1, $6, 'r', $7, $4, $8, $9, $10)`,
        [
          namespace,
          run,
          pipeline,
          at,
          ++sequence,
          trigger,
          phase,
          ended,
          made.published === true ? at : null,
          made.extractRows,
        ],
      );
      await pool.query(
        `INSERT INTO holdfast.candidates (namespace, program, run, customer_id, slot, churn_signals, risk_score, risk_level, arm,
           epoch, created_at, expires_at)
         SELECT $1, 'keep', $2, 'C' || n, $3, '{}', 0.9, 'critical', 'treatment', 1, $3, $4 FROM generate_series(1, $5::int) AS n`,
        [namespace, run, at, daysAgo(-expiresIn), candidates],
      );
      await pool.query(
        `INSERT INTO holdfast.decisions (namespace, program, period, run, customer_id, arm, epoch, risk_level, decided_at)
         SELECT $1, 'keep', $3, $2, 'C' || n, 'treatment', 1, 'critical', $3 FROM generate_series(1, $4::int) AS n`,
        [namespace, run, at, decisions],
      );
      if (made.current === true) {
        await pool.query(`INSERT INTO holdfast.current_batches VALUES ($1, 'keep', $2, $3, 1, $4)`, [
          namespace,
          at,
          sequence,
          run,
        ]);
      }
      if (made.folder !== false) await makeFolder(run, age);
    },
    prune: (change = {}) =>
      pruneProgram({
        ...key,
        database,
        folders: store.runFolders,
        retention: { runs: 2, failedDays: 10 },
        deadlineSeconds: 3600,
        now: TODAY,
        dryRun: false,
        signal: new AbortController().signal,
        progress: () => {},
        ...change,
      }),
    async remains() {
      const count = async (table: string) => {
        const { rows } = await database.pool.query<{ run: string; count: string }>(
          `SELECT run, count(*) AS count FROM holdfast.${table} WHERE namespace = $1 GROUP BY run ORDER BY run`,
          [namespace],
        );
        return Object.fromEntries(rows.map(({ run, count }) => [run, Number(count)]));
      };
      return {
        runs: Object.keys(await count('runs')),
        folders: (await readdir(join(root, namespace, 'keep')).catch((): string[] => [])).sort(),
        candidates: await count('candidates'),
        decisions: await count('decisions'),
      };
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** A run's folder with two artifacts, to be copied: making each of them safe against a power cut takes long. */
async function makeTemplate(store: ArtifactStore): Promise<void> {
  for (const [stage, size] of [
    ['extract', 1000],
    ['filter', 100],
  ] as const) {
    const draft = await store.draft({ namespace: 'template', owner: 'keep', run: 'run', stage, attempt: 1 });
    await writeFile(join(draft.folder, 'rows.parquet'), 'x'.repeat(size));
    await draft.commit({ rows: 1, parts: [{ path: 'rows.parquet', rows: 1, schema: [] }], counts: {} });
  }
}

/** Gives a folder and everything in it one age; only on what has no links. */
async function growOld(folder: string, at: Date): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true })) await lutimes(join(folder, entry), at, at);
  await lutimes(folder, at, at);
}
