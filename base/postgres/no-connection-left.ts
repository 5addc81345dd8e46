/** What a server (too_many_connections) and poolers say when they take nobody more. */
const FULL =
  /too many (clients|connections)|remaining connection slots|no more connections allowed|max(imum)? client connections|query_wait_timeout/i;

/** Whether nothing is wrong but that others hold all the connections there are, and which limit it is; undefined otherwise. */
export function noConnectionLeft(error: unknown): string | undefined {
  const { message = '', code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code !== '53300' && !FULL.test(message)) return undefined;
  const limit = /connections for (role|user)/.test(message)
    ? "the role's CONNECTION LIMIT"
    : /connections for database/.test(message)
      ? "the database's CONNECTION LIMIT"
      : /no more connections allowed|client connections|query_wait_timeout/.test(message)
        ? "the pooler's max_client_conn and default_pool_size"
        : 'max_connections';
  return `no connection is left: each task under way holds two, each shard (execution.shards) is one, and serve ten; let fewer run at once, raise ${limit}, or put a pooler in between`;
}

/** For who would rather wait for a connection than fail. */
export interface Patience {
  /** Longest wait, in milliseconds. */
  readonly longestMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
  /** In [0, 1): those who wait together do not all come back at once. */
  readonly random: () => number;
  /** @throws when the wait is interrupted */
  readonly pause: (milliseconds: number) => Promise<void>;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/** Tries again, after longer and longer waits, for as long as no connection is left and patience lasts. */
export async function untilConnectionLeft<Result>(
  patience: Patience | undefined,
  connect: () => Promise<Result>,
): Promise<Result> {
  if (patience === undefined) return await connect();
  const { longestMs, elapsed, random, pause } = patience;
  const began = elapsed();
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await connect();
    } catch (error) {
      if (noConnectionLeft(error) === undefined || elapsed() - began > longestMs) throw error;
      await pause(wait * (0.5 + random()));
    }
  }
}
