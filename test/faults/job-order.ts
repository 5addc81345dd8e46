import { shareLane } from '../../contract/lane.ts';
import type { Pipelines } from '../../contract/pipelines.ts';
import type { JobObject } from '../../operator/kube/objects.ts';
import { ANNOTATIONS } from '../../operator/objects/labels.ts';

/** A Job was made, or is over: done, failed or gone. */
interface Happening {
  readonly what: 'begins' | 'ends';
  readonly run: string;
  readonly program: string;
}

/** What must hold at every moment of a scenario, besides that runs of one lane go one after the other. */
export interface Rules {
  /** Pairs of runs: every Job of the first is over before any of the second is made. */
  readonly order?: readonly (readonly [first: string, second: string])[];
  /** So many runs at most have Jobs that are not over. */
  readonly mostRuns?: number;
}

/** When Jobs begin and end, in the order in which the API server made it so. */
export interface JobOrder {
  /** An event of the one watch that tells it, or what a list shows. */
  see(job: JobObject, gone?: boolean): void;
  /** Everything that there is: what is not in it is gone. */
  seeAll(jobs: readonly JobObject[]): void;
  /** Where a rule was broken, a line each. */
  broken(rules: Rules, pipelineOf: (run: string) => string | undefined, pipelines: Pipelines): readonly string[];
}

export function createJobOrder(): JobOrder {
  const happenings: Happening[] = [];
  const open = new Map<string, Omit<Happening, 'what'>>();
  const over = new Set<string>();

  function end(uid: string): void {
    const job = open.get(uid);
    if (job !== undefined) happenings.push({ what: 'ends', ...job });
    open.delete(uid);
    over.add(uid);
  }
  function see(job: JobObject, gone = false): void {
    const { uid, labels = {}, annotations = {} } = job.metadata;
    if (over.has(uid)) return;
    if (!open.has(uid)) {
      const run = annotations[ANNOTATIONS.run] ?? '';
      const owner = { run, program: labels['holdfast.dev/program'] ?? '' };
      open.set(uid, owner);
      happenings.push({ what: 'begins', ...owner });
    }
    if (gone || isOver(job)) end(uid);
  }
  return {
    see,
    seeAll(jobs) {
      const there = new Set(jobs.map(({ metadata }) => metadata.uid));
      for (const uid of [...open.keys()]) if (!there.has(uid)) end(uid);
      // Ends before beginnings: which came first in between is not known.
      for (const job of jobs) if (open.has(job.metadata.uid)) see(job);
      for (const job of jobs) see(job);
    },
    broken: (rules, pipelineOf, pipelines) => [
      ...beside(happenings, pipelineOf, pipelines, rules.mostRuns),
      ...(rules.order ?? []).flatMap((pair) => disorder(happenings, pair)),
    ],
  };
}

function beside(
  happenings: readonly Happening[],
  pipelineOf: (run: string) => string | undefined,
  pipelines: Pipelines,
  mostRuns = Number.POSITIVE_INFINITY,
): readonly string[] {
  const broken = new Set<string>();
  const open: Happening[] = [];
  for (const one of happenings) {
    if (one.what === 'ends') {
      open.splice(
        open.findIndex(({ run }) => run === one.run),
        1,
      );
      continue;
    }
    const pipeline = pipelineOf(one.run) ?? '';
    for (const { run, program } of open) {
      const same = run !== one.run && program === one.program && shareLane(pipeline, pipelineOf(run) ?? '', pipelines);
      if (same) broken.add(`${one.run} had a Job while ${run} of the same lane had one`);
    }
    open.push(one);
    const runs = new Set(open.map(({ run }) => run)).size;
    if (runs > mostRuns) broken.add(`${runs} runs had Jobs at once instead of ${mostRuns} at most`);
  }
  return [...broken];
}

function disorder(happenings: readonly Happening[], [first, second]: readonly [string, string]): readonly string[] {
  const last = happenings.findLastIndex(({ run }) => run === first);
  const begin = happenings.findIndex(({ run }) => run === second);
  if (last === -1 || begin === -1) return [`${first} or ${second} had no Job at all`];
  return last < begin ? [] : [`${second} had a Job before ${first} was over`];
}

function isOver({ status }: JobObject): boolean {
  return (
    status?.conditions?.some(({ type, status: holds }) => ['Complete', 'Failed'].includes(type) && holds === 'True') ===
    true
  );
}
