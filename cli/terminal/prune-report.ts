import type { Pruned } from '../../jobs/prune/prune.ts';
import type { Pin } from '../../jobs/prune/run-pins.ts';
import { bytes, integer } from './figures.ts';
import type { RunReport } from './report.ts';

/** What went of one program, or in a dry run would go, as lines for people. */
export function pruneText(program: string, pruned: Pruned, dryRun: boolean): string {
  const { candidates, decisions, runs, records, orphans, foreign, scores, kept } = pruned;
  const verb = dryRun ? 'would go' : 'gone';
  const went = [
    `${integer(candidates)} candidates past their time`,
    `artifacts of ${integer(runs)} runs`,
    ...(decisions > 0 ? [`${integer(decisions)} decisions`] : []),
    ...(records > 0 ? [`records of ${integer(records)} runs`] : []),
    ...(orphans > 0 ? [`${integer(orphans)} folders that no run owns`] : []),
    ...(scores > 0 ? [`${integer(scores)} cached scores`] : []),
    bytes(pruned.bytes),
  ];
  const stays = Object.entries(kept).map(([pin, count]) => `${PINS[pin as Pin]} ${integer(count)}`);
  if (foreign > 0) stays.push(`not ours ${integer(foreign)}`);
  return `${program}\n  ${verb.padEnd(9)} ${went.join('   ')}\n  kept      ${stays.join('   ') || 'no run'}\n`;
}

/** What the one stage of a run of the pipeline `prune` counted. */
export function prunedIn({ stages }: RunReport): Pruned {
  const nothing: Pruned = {
    candidates: 0,
    decisions: 0,
    runs: 0,
    records: 0,
    orphans: 0,
    foreign: 0,
    bytes: 0,
    scores: 0,
    kept: {},
  };
  return { ...nothing, ...stages.find(({ name }) => name === 'prune')?.counts };
}

const PINS: Readonly<Record<Pin, string>> = {
  current: 'current batch',
  running: 'running',
  'live-candidates': 'candidates still live',
  newest: 'newest',
  'recent-failure': 'failed lately',
};
