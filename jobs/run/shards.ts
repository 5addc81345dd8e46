import { type ChildProcess, fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { type ErrorCode, HoldfastError } from '../../base/errors.ts';
import { shardName } from '../../contract/run-name.ts';
import type { ArtifactKey, ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openFolderStore } from '../../providers/artifacts/folder.ts';
import type { RunIdentity, Shard, ShardedStage, Stage, StageContext } from './stage.ts';

/** What a process is told that does one shard of a stage. */
export interface ShardRequest<Spec = unknown> {
  readonly pipeline: string;
  readonly stage: string;
  readonly shard: Shard;
  /** Its slot as an ISO instant: the request is sent as JSON. */
  readonly identity: Omit<RunIdentity, 'slot'> & { readonly slot: string };
  readonly spec: Spec;
  readonly baseFolder: string;
  readonly confined: boolean;
  /** Artifacts of the stages before, as the stage's own process knows them. */
  readonly inputs: Readonly<
    Record<string, { readonly root: string; readonly key: ArtifactKey; readonly digest: string }>
  >;
  /** Root of the store that the shard commits to. */
  readonly shardRoot: string;
  readonly scratchFolder: string;
  readonly resources: StageContext['resources'];
  readonly dryRun: boolean;
  readonly now: string;
}

/** What that process says; nothing more comes after `done` and `failed`. */
export type ShardMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number | undefined }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** The program of the process, as it lies here: TypeScript in a clone, JavaScript in a package. */
const PROGRAM = join(import.meta.dirname, '..', `shard-entry${extname(import.meta.filename)}`);

/**
 * A stage that does its work in `count` processes, each with its share of the threads and the memory, and makes of it what
 * the stage alone would have made.
 * @param artifactRoot root of the store that the inputs are in
 */
export function inProcesses<Spec>(
  { pipeline, stage }: { readonly pipeline: string; readonly stage: string },
  { gather }: Pick<ShardedStage<Spec>, 'gather'>,
  count: number,
  artifactRoot: string,
): Stage<Spec> {
  return async (context) => {
    const shardRoot = join(context.scratchFolder, `${stage}-shards`);
    const shards = Array.from({ length: count }, (_, index): Shard => ({ index, count }));
    const seen = shards.map((): { done: number; total: number | undefined } => ({ done: 0, total: undefined }));
    const report = (index: number, done: number, total: number | undefined) => {
      seen[index] = { done, total };
      const all = seen.reduce((sum, one) => sum + one.done, 0);
      const known = seen.every((one) => one.total !== undefined);
      context.progress(all, known ? seen.reduce((sum, one) => sum + (one.total ?? 0), 0) : undefined);
    };
    // The first that fails ends the others.
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    await Promise.all(
      shards.map(async (shard) => {
        try {
          const request = await requestOf(context, { pipeline, stage }, shard, artifactRoot, shardRoot);
          await runShard(request, signal, (done, total) => report(shard.index, done, total));
        } catch (error) {
          stop.abort(error);
        }
      }),
    );
    context.signal.throwIfAborted();
    stop.signal.throwIfAborted();
    const store = openFolderStore(shardRoot);
    const made: ArtifactReference[] = [];
    for (const shard of shards) made.push(await store.open(shardKey(context.identity, stage, shard)));
    return await gather(context, made);
  };
}

/** Where a shard's artifact lies. */
function shardKey({ namespace, owner, run, attempt }: RunIdentity, stage: string, shard: Shard): ArtifactKey {
  return { namespace, owner, run, stage: shardName(stage, shard), attempt };
}

async function requestOf<Spec>(
  context: StageContext<Spec>,
  of: { readonly pipeline: string; readonly stage: string },
  shard: Shard,
  artifactRoot: string,
  shardRoot: string,
): Promise<ShardRequest<Spec>> {
  const { identity, spec, baseFolder, confined, inputs, resources, dryRun } = context;
  const scratchFolder = join(context.scratchFolder, shardName(of.stage, shard));
  await mkdir(scratchFolder, { recursive: true });
  return {
    ...of,
    shard,
    identity: { ...identity, slot: identity.slot.toISOString() },
    spec,
    baseFolder,
    confined,
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, { key, digest }]) => [name, { root: artifactRoot, key, digest }]),
    ),
    shardRoot,
    scratchFolder,
    resources: shareOf(resources, shard.count),
    dryRun,
    now: context.now().toISOString(),
  };
}

/** What each of so many processes may use, so that together they use what the stage may; DuckDB needs some memory. */
export function shareOf({ threads, memoryMb }: StageContext['resources'], count: number): StageContext['resources'] {
  return {
    threads: Math.max(1, Math.floor(threads / count)),
    memoryMb: Math.max(128, Math.floor(memoryMb / count)),
  };
}

/** Runs one shard in a process of its own; rejects with its failure, or once it has ended after an abort. */
function runShard(
  request: ShardRequest,
  signal: AbortSignal,
  progress: (done: number, total: number | undefined) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const child: ChildProcess = fork(PROGRAM, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    let answer: ShardMessage | undefined;
    const abort = () => child.kill('SIGTERM');
    signal.addEventListener('abort', abort, { once: true });
    child.on('message', (message: ShardMessage) => {
      if (message.kind === 'progress') progress(message.done, message.total);
      else answer = message;
    });
    child.once('error', (cause) =>
      reject(new HoldfastError('HF_INTERNAL', `no process for ${request.stage} can be started`, { cause })),
    );
    child.once('close', (status, endedBy) => {
      signal.removeEventListener('abort', abort);
      if (answer?.kind === 'done') resolve();
      else if (answer?.kind === 'failed') reject(new HoldfastError(answer.code, answer.message));
      else reject(new HoldfastError('HF_INTERRUPTED', ended(request, status, endedBy)));
    });
    child.send(request);
  });
}

function ended({ stage, shard }: ShardRequest, status: number | null, endedBy: string | null): string {
  return `shard ${shard.index} of ${shard.count} of the stage ${stage} was ended (${endedBy ?? `status ${status}`}); run it again`;
}
