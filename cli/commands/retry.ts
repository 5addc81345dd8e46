import type { Io } from '../io.ts';
import { type LocalRetryOptions, retryInFolder } from './local-retry.ts';

/**
 * Does a run again that did not succeed, and reuses what it committed.
 * @throws as `retryInFolder`
 */
export async function retry(run: string, options: LocalRetryOptions, io: Io): Promise<number> {
  return retryInFolder(run, options, io);
}
