import { HoldfastError } from '../base/errors.ts';
import type { OwnerSpec } from '../contract/owner.ts';
import { openFolderStore } from '../providers/artifacts/folder.ts';
import { stageContext } from './run/run-context.ts';
import type { ShardMessage, ShardRequest } from './run/shards.ts';
import type { RunContext } from './run/stage.ts';
import { loadSharded, RUNNABLE, type RunnablePipelines } from './stages.ts';

/**
 * Does one shard of a stage; what to do came as one message.
 * @param runnable what can be run; what this version can, unless given
 */
export async function work(
  request: ShardRequest<OwnerSpec>,
  signal: AbortSignal,
  say: (message: ShardMessage) => void,
  runnable: RunnablePipelines = RUNNABLE,
): Promise<void> {
  const { shard } = await loadSharded(runnable, request.pipeline, request.stage);
  const input = async (stage: string) => {
    const { root, key, digest } = request.inputs[stage] as ShardRequest['inputs'][string];
    const found = await openFolderStore(root).open(key);
    if (found.digest === digest) return found;
    const sentence = `The artifact of the stage ${stage} is not the one that the run made.`;
    throw new HoldfastError('HF_ARTIFACT_CORRUPT', sentence);
  };
  const { identity, spec, baseFolder, confined, scratchFolder, resources, dryRun } = request;
  const run: RunContext<OwnerSpec> = {
    identity: { ...identity, slot: new Date(identity.slot) },
    spec,
    baseFolder,
    confined,
    artifacts: openFolderStore(request.shardRoot),
    database: undefined,
    connectors: { sources: {} },
    scratchFolder,
    resources,
    now: () => new Date(request.now),
    dryRun,
    signal,
  };
  const progress = (done: number, total?: number) => say({ kind: 'progress', done, total });
  await shard(
    await stageContext(run, { reads: Object.keys(request.inputs), secrets: [] }, input, progress),
    request.shard,
  );
}
