import type { RunStanding } from '../../database/expiry/retired-runs.ts';

export interface RunRetention {
  /** Newest succeeded runs kept of each pipeline. */
  readonly runs: number;
  /** Days for which failed and interrupted runs are kept. */
  readonly failedDays: number;
}

/** Why a run stays. */
export type Pin = 'current' | 'running' | 'live-candidates' | 'newest' | 'recent-failure';

const DAY_MS = 86_400_000;

/**
 * Why each run stays, by its name; a run without a reason may go.
 * @param now by every clock there is
 */
export function pinsOf(
  runs: readonly RunStanding[],
  { runs: kept, failedDays }: RunRetention,
  now: Date,
): ReadonlyMap<string, Pin> {
  const newest = new Set(newestSucceeded(runs, kept));
  const failedSince = now.getTime() - failedDays * DAY_MS;
  const pin = (run: RunStanding): Pin | undefined => {
    if (run.phase === 'Running') return 'running';
    if (run.isCurrent) return 'current';
    if (run.hasLiveCandidates) return 'live-candidates';
    if (newest.has(run)) return 'newest';
    if (run.phase !== 'Succeeded' && run.endedAt.getTime() > failedSince) return 'recent-failure';
    return undefined;
  };
  return new Map(
    runs.flatMap((run) => {
      const reason = pin(run);
      return reason === undefined ? [] : [[run.run, reason] as const];
    }),
  );
}

/** Of each pipeline on its own, so that many small runs of one do not push out those of another. */
function newestSucceeded(runs: readonly RunStanding[], kept: number): readonly RunStanding[] {
  const succeeded = runs.filter(({ phase }) => phase === 'Succeeded').toSorted((a, b) => b.sequence - a.sequence);
  return [...Map.groupBy(succeeded, ({ pipeline }) => pipeline).values()].flatMap((same) => same.slice(0, kept));
}
