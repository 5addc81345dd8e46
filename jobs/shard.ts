import { HoldfastError } from '../base/errors.ts';
import { openFolderStore } from '../providers/artifacts/folder.ts';
import type { ShardMessage, ShardRequest } from './run/shards.ts';
import type { StageContext } from './run/stage.ts';
import { loadSharded } from './stages.ts';

/** Does one shard of a stage; what to do came as one message. */
export async function work(
  request: ShardRequest,
  signal: AbortSignal,
  say: (message: ShardMessage) => void,
): Promise<void> {
  const { shard } = await loadSharded(request.pipeline, request.stage);
  const inputs: Record<string, StageContext['inputs'][string]> = {};
  for (const [name, { root, key, digest }] of Object.entries(request.inputs)) {
    const input = await openFolderStore(root).open(key);
    if (input.digest !== digest) {
      const sentence = `The artifact of the stage ${name} is not the one that the run made.`;
      throw new HoldfastError('HF_ARTIFACT_CORRUPT', sentence);
    }
    inputs[name] = input;
  }
  const { identity, program, baseFolder, confined, scratchFolder, resources, dryRun } = request;
  await shard(
    {
      identity: { ...identity, slot: new Date(identity.slot) },
      program,
      baseFolder,
      confined,
      artifacts: openFolderStore(request.shardRoot),
      inputs,
      database: undefined,
      sources: {},
      sampleFolder: scratchFolder,
      sampleCustomers: undefined,
      scratchFolder,
      resources,
      now: () => new Date(request.now),
      dryRun,
      signal,
      progress: (done, total) => say({ kind: 'progress', done, total }),
    },
    request.shard,
  );
}
