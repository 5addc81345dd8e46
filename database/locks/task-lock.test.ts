import { expect, test } from '@jest/globals';
import { openPostgres } from '../../test/support/postgres.ts';
import { lockTask } from './task-lock.ts';

test('a connection is left as it was by each of many turns', async () => {
  await using postgres = await openPostgres();
  const { database } = postgres;
  const listeners = async () => {
    const client = await database.pool.connect();
    const count = client.listenerCount('error');
    client.release();
    return count;
  };
  const before = await listeners();
  const { signal } = new AbortController();
  for (let shard = 0; shard < 3; shard += 1) {
    const key = { namespace: 'shop', owner: 'keep', run: 'weekly', task: `score/shards/${shard}` };
    const lock = await lockTask(database, key, signal);
    expect(lock.lost()).toBe(false);
    await lock.release();
  }
  expect(await listeners()).toBe(before);
});
