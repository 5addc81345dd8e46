import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { PIPELINES, PUBLISHING } from '../../contract/pipelines.ts';
import { type Revision, readRevision, textDigest } from '../../contract/revision.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { currentRun, findRun, type RunRecord } from '../../database/runs/runs.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import type { Io } from '../io.ts';
import { type DataFolder, dataFolder, isDataFolder } from './data-folder.ts';
import { requireProgram } from './known-program.ts';
import { revisionPath } from './local-run.ts';
import { readOrigin } from './origin.ts';
import { openState } from './state.ts';

/** A run that has ended: what it was pinned to and what it made. */
/** Which run is meant, and where its state is. */
export interface PastRunOptions {
  readonly data: string;
  readonly namespace: string;
  readonly run?: string;
}

export interface PastRun {
  readonly folder: DataFolder;
  readonly record: RunRecord;
  readonly spec: RetentionProgramSpec;
  /** By stage, those that it got to. */
  readonly artifacts: Readonly<Record<string, ArtifactReference>>;
  /** Folder of the manifest that ran; undefined where it was not kept. */
  readonly baseFolder: string | undefined;
}

/**
 * Opens a run of a program (default: the newest that succeeded).
 * @throws HF_NOT_FOUND when the program has not run here or its artifacts are gone; HF_ARTIFACT_CORRUPT
 */
export async function openPastRun(program: string, options: PastRunOptions, io: Io): Promise<PastRun> {
  const folder = dataFolder(options.data);
  if (!isDataFolder(folder)) {
    throw new HoldfastError(
      'HF_NOT_FOUND',
      `there is no state in ${folder.path}: run the program first, or give --data`,
    );
  }
  const record = await findRecord(folder, program, options, io);
  const { spec } = await keptRevision(folder.artifacts, record);
  const artifacts = await openArtifacts(folder.artifacts, record);
  const origin = await readOrigin(folder.artifacts, record);
  return { folder, record, spec, artifacts, baseFolder: origin?.baseFolder };
}

/** The run that is asked about. */
async function findRecord(
  folder: DataFolder,
  program: string,
  { namespace, run }: Pick<PastRunOptions, 'namespace' | 'run'>,
  io: Io,
): Promise<RunRecord> {
  await using state = await openState(folder, io);
  const of = { namespace, owner: program };
  const record =
    run === undefined ? await currentRun(state.database, of) : await findRun(state.database, { ...of, run });
  if (record === undefined) {
    await requireProgram(state.database, of, folder.path);
    const what = run === undefined ? `no batch of ${program} has been published` : `${program} has no run ${run}`;
    throw new HoldfastError('HF_NOT_FOUND', `${what} in ${folder.path}`);
  }
  if (record.prunedAt !== undefined) {
    const when = rfc3339(record.prunedAt);
    throw new HoldfastError('HF_NOT_FOUND', `the artifacts of the run ${record.run} were pruned at ${when}`);
  }
  return record;
}

export async function keptRevision(root: string, record: RunRecord): Promise<Revision<RetentionProgramSpec>> {
  const file = revisionPath(root, record);
  try {
    const text = await readFile(file, 'utf8');
    if (textDigest(text) === record.revision) return readRevision<RetentionProgramSpec>(text);
  } catch (cause) {
    throw new HoldfastError('HF_NOT_FOUND', `the revision of run ${record.run} is not in ${root}`, { cause });
  }
  throw new HoldfastError('HF_ARTIFACT_CORRUPT', `the revision of run ${record.run} was changed: ${file}`);
}

/**
 * The artifacts that the run got to, by stage.
 * @throws HF_ARTIFACT_CORRUPT when one of them is gone, was changed, or is not the one that this run made
 */
export async function openArtifacts(root: string, record: RunRecord): Promise<Record<string, ArtifactReference>> {
  const store = openFolderStore(root);
  const { namespace, owner, run, attempt } = record;
  const artifacts: Record<string, ArtifactReference> = {};
  for (const { name } of PIPELINES[PUBLISHING].stages) {
    const made = record.stages.find((stage) => stage.name === name)?.artifact;
    if (made === undefined) continue;
    const artifact = await store.open({ namespace, owner, run, stage: name, attempt });
    if (artifact.digest !== made) {
      throw new HoldfastError(
        'HF_ARTIFACT_CORRUPT',
        `the artifact of stage ${name} in ${artifact.folder} is not the one that ${run} made: another database shares this data folder`,
      );
    }
    artifacts[name] = artifact;
  }
  return artifacts;
}
