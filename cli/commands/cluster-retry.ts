import { HoldfastError } from '../../base/errors.ts';
import { printable } from '../../base/text/printable.ts';
import { pipelineOf } from '../../contract/pipelines.ts';
import { openCluster } from '../cluster/cluster.ts';
import { requireProgram, requireRun } from '../cluster/find.ts';
import { makeRetry } from '../cluster/made-run.ts';
import { requireReady } from '../cluster/readiness.ts';
import { changeSince, succeededRetryOf } from '../cluster/retries.ts';
import { isOver, type RunView, viewOf } from '../cluster/run-view.ts';
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
  requireRetriable(viewOf(of), options.fromStage);
  const program = await requireProgram(cluster, of.spec.programRef.name, signal);
  const notes = [requireReady(program), await changeSince(cluster, of, program, signal)];
  const done = await succeededRetryOf(cluster, of, signal);
  if (done !== undefined) throw refused(`the run ${name} was retried, and that succeeded: ${done}`);
  const made = viewOf(await makeRetry(cluster, of, options.fromStage, signal));
  for (const note of notes) if (note !== undefined) io.stderr.write(`${printable(note)}\n`);
  return await sayMade(cluster, made, `, another try of ${name}`, options, io);
}

function requireRetriable(run: RunView, fromStage: string | undefined): void {
  if (!isOver(run)) throw refused(`the run ${run.run} is not over (${run.phase}): wait for it, or cancel it`);
  if (run.phase === 'Succeeded') throw refused(`the run ${run.run} has succeeded: trigger another in its place`);
  if (fromStage !== undefined && run.dryRun) {
    throw refused(`the run ${run.run} is a dry run, which leaves nothing to go on from: leave out --from-stage`);
  }
  const stages = pipelineOf(run.pipeline)?.stages.map((stage) => stage.name);
  if (fromStage === undefined || stages === undefined || stages.includes(fromStage)) return;
  throw new HoldfastError('HF_USAGE', `${run.pipeline} has no stage ${fromStage}: it has ${stages.join(', ')}`);
}

function refused(why: string): HoldfastError {
  return new HoldfastError('HF_RETRY_REFUSED', `nothing was made: ${why}`);
}
