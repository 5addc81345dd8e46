import type { Footprint } from './footprint.ts';
import type { Failover } from './measure-failover.ts';
import type { Neighbour } from './measure-neighbour.ts';
import type { Writes } from './measure-writes.ts';
import type { Distribution } from './percentiles.ts';

/** What was measured. Sizes are of the compiled operator, as in the image, unless they are said to be of the source. */
export interface Figures {
  /** `load`: processes that ran or waited to, on average over the minute before the bench began. */
  readonly machine: { readonly processors: number; readonly load: number };
  /** From one task to the next, one run at a time. */
  readonly transition: Distribution;
  /** The same with the runs of many programs at once. */
  readonly transitionTogether: Distribution & { readonly programs: number };
  /** Of one namespace while another has very much to do. */
  readonly neighbour: Neighbour;
  /** Of the run that took most. */
  readonly writesPerRun: number;
  readonly writes: { readonly byHand: Writes; readonly scheduled: Writes };
  readonly failoverMs: { readonly killed: Failover; readonly graceful: Failover };
  /** With one program and nothing to do. */
  readonly residentMb: number;
  /** Until it leads. */
  readonly startMs: number;
  readonly footprint: {
    readonly compiled: Footprint;
    readonly source: Footprint;
    /** After all the runs of the transitions. */
    readonly afterRunsMb: number;
    readonly crowd: Footprint & { readonly programs: number; readonly runs: number };
  };
}

interface Row {
  readonly what: string;
  readonly figure: string;
  /** What the figure must not exceed. */
  readonly promise?: { readonly value: number; readonly most: number; readonly unit: string };
}

function rows({ transition, transitionTogether, neighbour, writes, failoverMs, footprint }: Figures): readonly Row[] {
  const { killed, graceful } = failoverMs;
  const { compiled, source, afterRunsMb, crowd } = footprint;
  const { large, small } = neighbour.noise;
  const next = (what: string, one: Distribution): Row => soon(`task done → next Job, ${what}`, one, 500);
  const soon = (what: string, one: Distribution, most: number): Row => ({
    what,
    figure: `p50 ${one.p50Ms} ms, p95 ${one.p95Ms} ms, p99 ${one.p99Ms} ms, most ${one.maxMs} ms (${one.samples})`,
    promise: { value: one.p99Ms, most, unit: 'ms' },
  });
  const written = (what: string, one: Writes): Row => ({
    what: `writes of ${what}`,
    figure: `${one.least === one.most ? one.most : `${one.least}–${one.most}`} (${one.runs} runs): ${one.tally}`,
    promise: { value: one.most, most: 24, unit: 'writes' },
  });
  const taken = (what: string, { leading, working }: Failover, most: number): Row => ({
    what: `leader ${what} → next Job by the other`,
    figure: `median ${working.p50Ms} ms, most ${working.maxMs} ms; leads after ${leading.p50Ms}, ${leading.maxMs} ms (${working.samples})`,
    promise: { value: Math.max(working.maxMs, leading.maxMs), most, unit: 'ms' },
  });
  const size = (what: string, one: Footprint): Row => ({
    what: `start, and size when idle, ${what}`,
    figure: `ready after ${one.readyMs} ms, leads after ${one.leadingMs} ms, ${one.residentMb} MiB (${one.samples})`,
  });
  return [
    next('one run at a time', transition),
    next(`${transitionTogether.programs} programs at once`, transitionTogether),
    next(`beside ${large} runs of a large program and ${small} of a small one`, neighbour.next),
    soon('run made → first Job, beside them', neighbour.first, 1_000),
    written('a run by hand', writes.byHand),
    written('a run at a slot', writes.scheduled),
    taken('killed', killed, 13_000),
    taken('stopped', graceful, 3_000),
    size('compiled, 1 program', compiled),
    size(`compiled, ${crowd.programs} programs, ${crowd.runs} old runs`, crowd),
    size('from source, 1 program', source),
    { what: 'size after all these runs, compiled', figure: `${afterRunsMb} MiB` },
  ];
}

/** For people. */
export function table(figures: Figures): string {
  const lines = rows(figures);
  const width = Math.max(...lines.map(({ what }) => what.length));
  return lines
    .map(({ what, figure, promise }) => {
      const kept = promise === undefined || promise.value <= promise.most ? ' ' : '!';
      const limit = promise === undefined ? '' : `  [≤ ${promise.most} ${promise.unit}]`;
      return `${kept} ${what.padEnd(width)}  ${figure}${limit}`;
    })
    .join('\n');
}

/** A sentence for each promise that was not kept. */
export function brokenPromises(figures: Figures): readonly string[] {
  return rows(figures).flatMap(({ what, promise }) =>
    promise === undefined || promise.value <= promise.most
      ? []
      : [`Broken promise: ${what}: ${promise.value} ${promise.unit}, and at most ${promise.most} were promised.`],
  );
}
