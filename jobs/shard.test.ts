import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import type { RetentionProgramSpec } from '../crds/retention-program.ts';
import type { ArtifactReference } from '../providers/artifacts/artifact.ts';
import { programSpec } from '../test/support/program.ts';
import type { ShardMessage, ShardRequest } from './run/shards.ts';
import type { ShardedStage } from './run/stage.ts';
import { work } from './shard.ts';
import { codeFor, RUNNABLE } from './stages.ts';

const REQUEST: ShardRequest<RetentionProgramSpec> = {
  pipeline: 'campaign',
  stage: 'plan',
  shard: { index: 1, count: 3 },
  identity: {
    namespace: 'shop',
    owner: 'keep',
    run: 'keep-1',
    sequence: 1,
    attempt: 1,
    slot: '2026-11-23T02:00:00Z',
    trigger: 'manual',
  },
  spec: programSpec(),
  baseFolder: tmpdir(),
  confined: false,
  inputs: {},
  shardRoot: tmpdir(),
  scratchFolder: tmpdir(),
  resources: { threads: 1, memoryMb: 128 },
  dryRun: false,
  now: '2026-11-23T09:30:00Z',
};

test('a shard is done of any pipeline of the table that it is given', async () => {
  const seen: unknown[] = [];
  const said: ShardMessage[] = [];
  const plan: ShardedStage<RetentionProgramSpec> = {
    async shard({ identity, progress }, shard) {
      seen.push([identity.slot, shard]);
      progress(2, 4);
      return {} as ArtifactReference;
    },
    gather: () => Promise.reject(new Error('a shard gathers nothing')),
  };
  const code = {
    campaign: codeFor({ plan: { work: () => Promise.reject(new Error('it is divided')), shards: async () => plan } }),
  };
  const say = (message: ShardMessage) => void said.push(message);
  await work(REQUEST, new AbortController().signal, say, { ...RUNNABLE, code });
  expect(seen).toEqual([[new Date(REQUEST.identity.slot), REQUEST.shard]]);
  expect(said).toEqual([{ kind: 'progress', done: 2, total: 4 }]);
  await expect(work(REQUEST, new AbortController().signal, say)).rejects.toThrow('The stage plan has no code.');
});
