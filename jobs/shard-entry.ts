import { setImmediate as turn } from 'node:timers/promises';
import { HoldfastError } from '../base/errors.ts';
import type { OwnerSpec } from '../contract/owner.ts';
import type { ShardMessage, ShardRequest } from './run/shards.ts';

/*
 * The process of one shard, which the stage's own starts (run/shards.ts). What to do comes as one message; how it goes,
 * and how it ends, is said in messages. It hears signals and its parent before anything else is loaded.
 */

const stop = new AbortController();
const interrupt = (by: string) => stop.abort(new HoldfastError('HF_INTERRUPTED', `stopped by ${by}; run it again`));
// Ctrl-C reaches the whole group: the stage's own process decides, and says so with SIGTERM.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => interrupt('SIGTERM'));
// Whoever wanted the work is gone.
process.on('disconnect', () => interrupt('the end of its parent'));
const say = (message: ShardMessage) => {
  if (process.connected) process.send?.(message);
};
process.once('message', (request: ShardRequest<OwnerSpec>) => {
  void work(request).then((message) => {
    // Not waiting for what a driver may still hold open: what counts has been written.
    if (!process.connected) process.exit(1);
    process.send?.(message, () => process.exit(0));
  });
});

async function work(request: ShardRequest<OwnerSpec>): Promise<ShardMessage> {
  const { asFailure } = await import('../contract/failure.ts');
  try {
    const shard = await import('./shard.ts');
    // A signal that came meanwhile is heard once the loop has been round; this turn has begun.
    await turn();
    await turn();
    stop.signal.throwIfAborted();
    await shard.work(request, stop.signal, say);
    return { kind: 'done' };
  } catch (error) {
    const { code, message } = asFailure(error, stop.signal);
    return { kind: 'failed', code, message };
  }
}
