import { isDeepStrictEqual } from 'node:util';
import { shardName } from '../../contract/run-name.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openWhole } from '../../providers/artifacts/open-whole.ts';
import type { ArtifactStore } from '../../providers/artifacts/store.ts';
import type { Shard, ShardedStage, StageContext } from './stage.ts';

/** What is the same for all shards of a stage of a run. */
export interface ShardWork<Spec> {
  readonly stage: string;
  /** SHA-256 of the spec that the run is pinned to. */
  readonly revision: string;
  readonly work: ShardedStage<Spec>;
  readonly context: StageContext<Spec>;
}

/**
 * The artifact of a shard, beside that of its stage. It is made unless it is there, whole, and from what it would be made
 * from now: nothing else records that a shard is done.
 * @param missing called before it is made
 */
export async function shardArtifact<Spec>(
  { stage, revision, work, context }: ShardWork<Spec>,
  shard: Shard,
  missing: () => void = () => {},
): Promise<ArtifactReference> {
  const { identity, inputs, artifacts } = context;
  const { namespace, owner, run, attempt } = identity;
  const digests = Object.entries(inputs).map(([name, { digest }]) => [name, digest]);
  const madeFrom = { ...Object.fromEntries(digests), revision };
  const there = await openWhole(artifacts, { namespace, owner, run, stage: shardName(stage, shard), attempt });
  if (there !== undefined && isDeepStrictEqual(there.manifest.madeFrom, madeFrom)) return there;
  missing();
  return await work.shard({ ...context, artifacts: markedWith(artifacts, madeFrom) }, shard);
}

/** A store whose artifacts say what they were made from. */
function markedWith(store: ArtifactStore, madeFrom: Readonly<Record<string, string>>): ArtifactStore {
  return {
    ...store,
    async draft(key) {
      const draft = await store.draft(key);
      return { ...draft, commit: (details) => draft.commit({ ...details, madeFrom }) };
    },
  };
}
