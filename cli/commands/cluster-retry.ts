import { printable } from '../../base/text/printable.ts';
import { type RetryRefusal, retriedBefore, retryError, retryRefusal } from '../../contract/retriable.ts';
import { openCluster } from '../cluster/cluster.ts';
import { requireProgram, requireRun } from '../cluster/find.ts';
import { makeRetry } from '../cluster/made-run.ts';
import { requireReady } from '../cluster/readiness.ts';
import { changeSince, succeededRetryOf } from '../cluster/retries.ts';
import { isOver, viewOf } from '../cluster/run-view.ts';
import type { Where } from '../cluster/where.ts';
import type { Io } from '../io.ts';
import { sayMade } from './say-made.ts';
import type { PlaceOptions } from './where.ts';

export interface ClusterRetryOptions extends PlaceOptions {
  readonly fromStage?: string;
  readonly wait?: boolean;
  readonly output: 'text' | 'json';
}

/**
 * Makes another try of a run on a cluster that did not succeed: of the same slot, pinned to the same program, with the stages
 * that it had done.
 * @throws HF_NOT_FOUND, HF_RETRY_REFUSED, HF_PROGRAM_NOT_READY, HF_USAGE, and as `Cluster.ask`
 */
export async function retryOnCluster(
  name: string,
  options: ClusterRetryOptions,
  where: Where & { readonly in: 'cluster' },
  io: Io,
): Promise<number> {
  using cluster = openCluster(where, options.namespace, io);
  const { signal } = io;
  const of = await requireRun(cluster, name, signal);
  const view = viewOf(of);
  refuse(retryRefusal({ ...view, isOver: isOver(view) }, options.fromStage, io.runnable?.table));
  const program = await requireProgram(cluster, of.spec.programRef.name, signal);
  const notes = [requireReady(program), await changeSince(cluster, of, program, signal)];
  refuse(retriedBefore(name, await succeededRetryOf(cluster, of, signal)));
  const made = viewOf(await makeRetry(cluster, of, options.fromStage, signal));
  for (const note of notes) if (note !== undefined) io.stderr.write(`${printable(note)}\n`);
  return await sayMade(cluster, made, `, another try of ${name}`, options, io);
}

function refuse(refusal: RetryRefusal | undefined): void {
  if (refusal === undefined) return;
  throw retryError(
    refusal.code === 'HF_USAGE' ? refusal : { ...refusal, message: `nothing was made: ${refusal.message}` },
  );
}
