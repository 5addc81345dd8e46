import { instantInName, nameOf } from './name.ts';
import { PIPELINES, type Pipelines } from './pipelines.ts';

/*
 * Two forms. On a cluster the name is the lock, known before anybody asks Postgres, and whoever makes it twice makes one run.
 * On a laptop a slot is run as often as a person likes, and the number that Postgres gave tells the runs apart.
 */

/**
 * Name of a run on a cluster: its owner, slot and pipeline, the last but for the one that publishes, as in
 * `churn-prevention-20261123t0200z-prune`, and what more tells it from others of the slot.
 */
export function clusterRunName(
  owner: string,
  slot: Date | undefined,
  pipeline: string,
  { more = [], pipelines = PIPELINES }: { readonly more?: readonly string[]; readonly pipelines?: Pipelines } = {},
): string {
  const named = pipelines[pipeline]?.publishes === true ? [] : [pipeline];
  return nameOf([owner, ...(slot === undefined ? [] : [instantInName(slot)]), ...named, ...more]);
}

/** Name of a run on a laptop: its owner, slot and sequence, as in `churn-prevention-20261123t020000z-1`. */
export function laptopRunName(owner: string, slot: Date, sequence: number): string {
  const instant = slot
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase();
  return `${owner}-${instant}-${sequence}`;
}

/** Under which a shard's artifact lies beside that of its stage, as in `score-0-of-4`. */
export function shardName(stage: string, { index, count }: { readonly index: number; readonly count: number }): string {
  return `${stage}-${index}-of-${count}`;
}
