import { printable } from '../../base/text/printable.ts';
import type { RetentionRunSpec } from '../../crds/index.ts';
import { openCluster } from '../cluster/cluster.ts';
import { requireProgram } from '../cluster/find.ts';
import { makeManualRun } from '../cluster/made-run.ts';
import { requireReady } from '../cluster/readiness.ts';
import { viewOf } from '../cluster/run-view.ts';
import { wantedSlot } from '../cluster/wanted-slot.ts';
import type { Io } from '../io.ts';
import { sayMade } from './say-made.ts';
import { type PlaceOptions, requireCluster } from './where.ts';

export interface TriggerOptions extends PlaceOptions {
  readonly pipeline: RetentionRunSpec['pipeline'];
  readonly slot?: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly output: 'text' | 'json';
}

/**
 * Makes a run of a program on a cluster, now, and with `--wait` follows it to its end.
 * @throws HF_CLUSTER_ONLY, HF_NOT_FOUND, HF_PROGRAM_NOT_READY, HF_USAGE, HF_SLOT_IN_FUTURE, HF_SCHEDULE_INVALID,
 *   HF_SLOT_REFUSED, HF_SLOT_DONE, and as `Cluster.ask`
 */
export async function trigger(name: string, options: TriggerOptions, io: Io): Promise<number> {
  const where = requireCluster(options, '`holdfast run FILE` runs a program at once', io);
  using cluster = openCluster(where, options.namespace, io);
  const program = await requireProgram(cluster, name, io.signal);
  const note = requireReady(program);
  const { pipeline, dryRun = false } = options;
  const slot = wantedSlot({ pipeline, dryRun, slot: options.slot }, program, io.now(), io.runnable?.table);
  const made = viewOf(await makeManualRun(cluster, { program, pipeline, slot, dryRun }, io.signal));
  if (note !== undefined) io.stderr.write(`${printable(note)}\n`);
  return await sayMade(cluster, made, dryRun ? ', as a dry run' : '', options, io);
}
