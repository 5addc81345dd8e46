import { printable } from '../../base/text/printable.ts';
import { RESOURCES } from '../../operator/kube/api.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import { messageAsCalled } from '../called-as.ts';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import { findObject, notFound, requireNamespace, requireRun } from '../cluster/find.ts';
import { followPrograms } from '../cluster/follow-programs.ts';
import { lookAtPrograms } from '../cluster/look.ts';
import type { ProgramView } from '../cluster/program-view.ts';
import { isOver, type RunView, viewOf } from '../cluster/run-view.ts';
import type { Where } from '../cluster/where.ts';
import type { Io } from '../io.ts';
import { programLines, programTable } from '../terminal/program-table.ts';
import { reachOn } from '../terminal/reach.ts';
import { canvasOn } from '../terminal/redraw.ts';
import { remedyOf, runLines } from '../terminal/run-lines.ts';
import { watchRun } from './watch-run.ts';
import type { PlaceOptions } from './where.ts';

export interface StatusOptions extends PlaceOptions {
  readonly run?: string;
  readonly watch?: boolean;
  readonly output: 'text' | 'wide' | 'json';
}

/** Runs of a program that are shown with their stages. */
const MOST_RUNS = 10;

/**
 * The status of the programs of a namespace, of one with its runs, or of one run.
 * @throws HF_NOT_FOUND, and as `Cluster.ask`
 */
export async function clusterStatus(
  name: string | undefined,
  options: StatusOptions,
  where: Where & { readonly in: 'cluster' },
  io: Io,
): Promise<number> {
  using cluster = openCluster(where, options.namespace, io);
  if (options.run !== undefined) return await runStatus(cluster, options.run, options, io);
  const programs = await lookAtPrograms(cluster, name, io.signal);
  if (name !== undefined && programs.length === 0) {
    await notFound(cluster, RESOURCES.retentionPrograms, name, io.signal);
  }
  if (programs.length === 0) await requireNamespace(cluster, io.signal);
  if (options.watch === true) return await watchPrograms(cluster, name, programs, options, io);
  const runs = name === undefined ? [] : await runsToShow(cluster, programs, io.signal);
  if (options.output === 'json') {
    io.stdout.write(`${JSON.stringify(name === undefined ? { programs } : { programs, runs })}\n`);
    return 0;
  }
  if (programs.length === 0) io.stderr.write(`there is no program in the namespace ${cluster.namespace}\n`);
  else io.stdout.write(programTable(programs, options.output === 'wide', io.now()));
  for (const run of runs) io.stdout.write(`\n${described(run, io)}`);
  return 0;
}

async function runStatus(cluster: Cluster, name: string, options: StatusOptions, io: Io): Promise<number> {
  const view = viewOf(await requireRun(cluster, name, io.signal));
  if (options.watch === true && !isOver(view)) return await watchRun(cluster, view, options, io);
  io.stdout.write(options.output === 'json' ? `${JSON.stringify(view)}\n` : described(view, io));
  return options.watch === true && view.phase !== 'Succeeded' ? 1 : 0;
}

/** Those under way and those that wait; where there is none, the last of the batch. */
async function runsToShow(cluster: Cluster, programs: readonly ProgramView[], signal: AbortSignal): Promise<RunView[]> {
  const unfinished = programs.flatMap(({ pipelines }) => pipelines.flatMap((one) => one.unfinished));
  if (unfinished.length > 0) return unfinished.slice(0, MOST_RUNS);
  const last = programs[0]?.pipelines[0]?.lastRun?.run;
  const found = last && (await findObject<RunObject>(cluster, RESOURCES.retentionRuns, last, signal));
  return found ? [viewOf(found)] : [];
}

/** A run with its stages, and what to do where it failed. */
function described(run: RunView, io: Io): string {
  const remedy = run.phase === 'Failed' ? remedyOf(run) : undefined;
  return [...runLines(run, io.now()), ...(remedy === undefined ? [] : [`  ${messageAsCalled(remedy, io)}`])]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

async function watchPrograms(
  cluster: Cluster,
  name: string | undefined,
  first: readonly ProgramView[],
  { output }: StatusOptions,
  io: Io,
): Promise<number> {
  if (output === 'json') {
    const write = (programs: readonly ProgramView[]) => io.stdout.write(`${JSON.stringify({ programs })}\n`);
    return await followPrograms(
      cluster,
      name,
      { show: write, lost: () => {} },
      { signal: io.signal, random: Math.random },
    );
  }
  const canvas = canvasOn(io.stdout);
  const reach = reachOn(canvas);
  const show = (programs: readonly ProgramView[]) => {
    reach.found();
    const table = () =>
      programTable(programs, output === 'wide', io.now())
        .trimEnd()
        .split('\n');
    canvas.draw(io.stdout.isTTY === true ? table() : programLines(programs));
  };
  show(first);
  return await followPrograms(cluster, name, { show, lost: reach.lost }, { signal: io.signal, random: Math.random });
}
