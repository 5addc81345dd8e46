import { rm } from 'node:fs/promises';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import type { Secret } from '../../contract/credentials.ts';
import { asFailure } from '../../contract/failure.ts';
import type { Database } from '../../database/client/database.ts';
import { databaseIdentity } from '../../database/client/identity.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import type { Recorder } from './recorder.ts';
import type { RunContext, Stage, StageContext } from './stage.ts';

/** Where the work of a run is done, and what it may use there. */
export interface Workplace<Spec = unknown> extends Omit<RunContext<Spec>, 'artifacts'> {
  readonly artifactRoot: string;
  /** Folder in which one for the work alone is made, which goes when it ends. */
  readonly scratchFolder: string;
  /** Database that knows the run, as the folder of its artifacts is to say. */
  readonly claimant: Database | undefined;
  /** Whether the work makes no artifacts, so that it has no folder among them. */
  readonly makesNothing?: boolean;
}

/**
 * Does work of a run, all of it on a laptop and one task of it in a pod: claims the folder of its artifacts, and takes away
 * what the work leaves in the scratch folder. A failure is given to the recorder before it is thrown.
 * @throws HF_DATA_FOLDER, HF_DISK_FULL, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, and whatever the work throws
 */
export async function inRun<Spec, Result>(
  place: Workplace<Spec>,
  recorder: Pick<Recorder, 'fail'>,
  work: (run: RunContext<Spec>) => Promise<Result>,
): Promise<Result> {
  try {
    return await inFolders(place, work);
  } catch (error) {
    const failure = asFailure(error, place.signal);
    await recorder.fail(failure);
    throw failure;
  }
}

async function inFolders<Spec, Result>(
  { artifactRoot, claimant, makesNothing, ...shared }: Workplace<Spec>,
  work: (run: RunContext<Spec>) => Promise<Result>,
): Promise<Result> {
  const artifacts = openFolderStore(artifactRoot);
  if (makesNothing !== true) {
    await artifacts.runFolders.claim(shared.identity, claimant && (await databaseIdentity(claimant)));
  }
  const scratchFolder = await makeTemporaryFolder('run-', shared.scratchFolder);
  try {
    return await work({ ...shared, artifacts, scratchFolder });
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

/** One stage that is to be done, as the table of pipelines has it. */
export interface StageToRun<Spec = unknown> {
  readonly name: string;
  /** The earlier stages whose artifacts it reads. */
  readonly reads: readonly string[];
  readonly secrets: readonly Secret[];
  /** Whether the run is over when it is done. */
  readonly last: boolean;
  readonly load: () => Promise<Stage<Spec>>;
}

/**
 * What a stage of the run is given: the artifacts that it reads and the secrets that it needs, and no others.
 * @param input what an earlier stage made
 */
export async function stageContext<Spec>(
  run: RunContext<Spec>,
  { reads, secrets }: Pick<StageToRun<Spec>, 'reads' | 'secrets'>,
  input: (stage: string) => Promise<ArtifactReference>,
  progress: StageContext['progress'],
): Promise<StageContext<Spec>> {
  const inputs: Record<string, ArtifactReference> = {};
  for (const stage of reads) inputs[stage] = await input(stage);
  const connectors = secrets.includes('connections') ? run.connectors : { ...run.connectors, sources: {} };
  return { ...run, connectors, inputs, progress };
}
