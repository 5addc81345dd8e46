import { HoldfastError } from '../../base/errors.ts';
import { printable } from '../../base/text/printable.ts';
import { noBackfill } from '../../contract/slot-guard.ts';
import { slotSchedule } from '../../contract/slot-schedule.ts';
import type { RetentionRunSpec } from '../../crds/index.ts';
import { openCluster } from '../cluster/cluster.ts';
import { requireProgram } from '../cluster/find.ts';
import { makeBackfill } from '../cluster/made-run.ts';
import { requireReady } from '../cluster/readiness.ts';
import { type RunView, viewOf } from '../cluster/run-view.ts';
import type { Where } from '../cluster/where.ts';
import type { Io } from '../io.ts';
import { slotsBetween } from '../slots-between.ts';
import { inColumns } from '../terminal/columns.ts';
import type { PlaceOptions } from './where.ts';

export interface ClusterBackfillOptions extends PlaceOptions {
  readonly from: string;
  readonly to: string;
  readonly max: string;
  readonly pipeline: RetentionRunSpec['pipeline'];
  readonly output: 'text' | 'json';
}

/**
 * Makes the runs of past slots of a program on a cluster, each once however often it is asked; none of them becomes the
 * current batch, and they go one after the other, the oldest slot first, after whatever else is due.
 * @throws HF_NOT_FOUND, HF_PROGRAM_NOT_READY, HF_SLOT_REFUSED, HF_USAGE, and as `Cluster.ask`
 */
export async function backfillOnCluster(
  name: string,
  options: ClusterBackfillOptions,
  where: Where & { readonly in: 'cluster' },
  io: Io,
): Promise<number> {
  const { pipeline, from, to, max } = options;
  const pipelines = io.runnable?.table;
  const refusal = noBackfill(pipeline, pipelines);
  if (refusal !== undefined) throw new HoldfastError('HF_SLOT_REFUSED', refusal);
  using cluster = openCluster(where, options.namespace, io);
  const program = await requireProgram(cluster, name, io.signal);
  const note = requireReady(program);
  const { batchSchedule, timeZone } = program.spec;
  const calendar = { schedule: slotSchedule(pipeline, program.spec, pipelines) ?? batchSchedule, timeZone };
  const slots = slotsBetween(calendar, { from, to, max }, io.now());
  if (note !== undefined) io.stderr.write(`${printable(note)}\n`);
  const made: (RunView & { readonly made: boolean })[] = [];
  for (const slot of slots) {
    const { run, isNew } = await makeBackfill(cluster, { program, pipeline, slot, dryRun: false }, io.signal);
    made.push({ ...viewOf(run), made: isNew });
  }
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ runs: made })}\n`
      : inColumns(
          ['RUN', 'SLOT', 'PHASE', 'MADE'],
          made.map((run) => [run.run, run.slot ?? '', run.phase, run.made ? 'now' : 'before']),
        ),
  );
  return 0;
}
