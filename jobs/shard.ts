import { openFolderStore } from './artifacts/folder.ts';
import { HoldfastError } from './errors.ts';
import { loadSharded, PIPELINES, type PipelineName } from './pipelines/pipelines.ts';
import { asFailure } from './run/failure.ts';
import type { ShardMessage, ShardRequest } from './run/shards.ts';
import type { StageContext } from './run/stage.ts';

/*
 * One shard of a stage, as a process that the stage's own starts (run/shards.ts). What to do comes as one message; how it
 * goes, and how it ends, is said in messages.
 */

async function work(request: ShardRequest, signal: AbortSignal, say: (message: ShardMessage) => void): Promise<void> {
  const definition = PIPELINES[request.pipeline as PipelineName].find(({ name }) => name === request.stage);
  if (definition === undefined) throw new HoldfastError('HF_INTERNAL', `there is no stage ${request.stage}`);
  const { shard } = await loadSharded(definition);
  const inputs: Record<string, StageContext['inputs'][string]> = {};
  for (const [name, { root, key, digest }] of Object.entries(request.inputs)) {
    const input = await openFolderStore(root).open(key);
    if (input.digest !== digest) {
      const sentence = `The artifact of the stage ${name} is not the one that the run made.`;
      throw new HoldfastError('HF_ARTIFACT_CORRUPT', sentence);
    }
    inputs[name] = input;
  }
  const { identity, program, baseFolder, scratchFolder, resources, dryRun } = request;
  await shard(
    {
      identity: { ...identity, slot: new Date(identity.slot) },
      program,
      baseFolder,
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

if (import.meta.main) {
  const stop = new AbortController();
  const interrupt = (by: string) => stop.abort(new HoldfastError('HF_INTERRUPTED', `stopped by ${by}; run it again`));
  // Ctrl-C reaches the whole group: the stage's own process decides, and says so with SIGTERM.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => interrupt('SIGTERM'));
  // Whoever wanted the work is gone.
  process.on('disconnect', () => interrupt('the end of its parent'));
  const say = (message: ShardMessage) => {
    if (process.connected) process.send?.(message);
  };
  process.once('message', (request: ShardRequest) => {
    void work(request, stop.signal, say)
      .then((): ShardMessage => ({ kind: 'done' }))
      .catch((error: unknown): ShardMessage => {
        const { code, message } = asFailure(error, stop.signal);
        return { kind: 'failed', code, message };
      })
      .then((message) => {
        // Not waiting for what a driver may still hold open: what counts has been written.
        if (!process.connected) process.exit(1);
        process.send?.(message, () => process.exit(0));
      });
  });
}
