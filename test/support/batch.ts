import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../base/duckdb/engine.ts';
import { parquetColumns, writeParquet } from '../../base/duckdb/parquet.ts';
import type { Counts } from '../../contract/counts.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { BatchContext } from '../../jobs/batch/batch-stage.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';

/** A folder in which one stage can be run on rows that a test makes up. */
export interface Batch extends AsyncDisposable {
  readonly folder: string;
  /** Commits what the stage before would have: one part, of the rows of a SELECT. */
  input(stage: string, file: string, select: string, counts?: Counts): Promise<void>;
  /** The same of several parts, by file. */
  inputs(stage: string, selects: Readonly<Record<string, string>>, counts?: Counts): Promise<void>;
  /** The context of a stage, with what the test changes. */
  context(program: Partial<RetentionProgramSpec>, change?: Partial<BatchContext>): BatchContext;
  /** Rows of a part. */
  rows(artifact: ArtifactReference | undefined, file: string, select?: string): Promise<Record<string, unknown>[]>;
}

const SLOT = new Date('2026-11-23T02:00:00Z');

export async function openBatch(): Promise<Batch> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-batch-'));
  const scratchFolder = join(folder, 'scratch');
  await mkdir(scratchFolder);
  const store = openFolderStore(join(folder, 'artifacts'));
  const resources = { threads: 2, memoryMb: 512 };
  const inputs: Record<string, ArtifactReference> = {};
  const identity = {
    namespace: 'default',
    owner: 'churn-prevention',
    run: 'run-1',
    sequence: 1,
    attempt: 1,
    slot: SLOT,
  };
  const spec = {
    programId: 'churn-prevention',
    programName: 'Churn prevention',
    enabled: true,
    marketplaces: ['US'],
    dataConnectors: [],
    quality: { maxRejectedShare: 0.01, minRowsVersusLastRun: 0.5 },
    scoringModels: [],
    riskLevels: { critical: 0.8, high: 0.6, medium: 0.4 },
    subscriptionTiers: ['basic', 'standard', 'premium', 'premium_plus'],
    filterChain: [],
    channels: [],
    offerStrategy: { enabled: true, segmentedOffers: true, segments: [] },
    holdout: { share: 0.1, epoch: 1 },
    batchSchedule: '0 2 * * MON',
    timeZone: 'UTC',
    candidateTTLDays: 30,
    retention: { runs: 10, failedDays: 30 },
    startingDeadlineSeconds: 43_200,
    concurrencyPolicy: 'Forbid',
    runHistory: { successful: 3, failed: 3 },
    execution: { deadlineSeconds: 3600, retries: 3, cpu: '1', memory: '2Gi', scratch: '10Gi', shards: 1 },
  } satisfies RetentionProgramSpec;

  const input: Batch['inputs'] = async (stage, selects, counts = {}) => {
    await using engine = await openEngine({ ...resources, scratchFolder });
    const draft = await store.draft({ ...identity, stage });
    const parts = [];
    for (const [path, select] of Object.entries(selects)) {
      const file = join(draft.folder, path);
      parts.push({ path, rows: await writeParquet(engine, select, file), schema: await parquetColumns(engine, file) });
    }
    inputs[stage] = await draft.commit({ rows: parts[0]?.rows ?? 0, parts, counts });
  };
  return {
    folder,
    input: (stage, file, select, counts) => input(stage, { [file]: select }, counts),
    inputs: input,
    context: (program, change = {}) => ({
      identity: { ...identity, trigger: 'schedule' },
      spec: { ...spec, ...program },
      baseFolder: folder,
      confined: false,
      artifacts: store,
      inputs,
      database: undefined,
      connectors: { sources: {}, sampleFolder: join(folder, 'sample') },
      scratchFolder,
      resources,
      now: () => SLOT,
      dryRun: false,
      signal: new AbortController().signal,
      progress: () => {},
      ...change,
    }),
    async rows(artifact, file, select = '*') {
      await using engine = await openEngine({ ...resources, scratchFolder });
      return await engine.rows<Record<string, unknown>>(`SELECT ${select} FROM read_parquet($1)`, [
        join(artifact?.folder ?? '', file),
      ]);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
