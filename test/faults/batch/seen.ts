import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';

/** A batch as a reader of the database sees it: which rows, whatever its run is called. */
export interface Seen {
  readonly rows: number;
  readonly digest: string;
}

/** Before the first batch. */
export const NOTHING: Seen = { rows: 0, digest: 'nothing' };

/** One statement, so one snapshot. */
const CURRENT = `
  SELECT count(*)::int AS rows, count(DISTINCT run)::int AS runs,
    coalesce(md5(string_agg((to_jsonb(candidate) - 'run')::text, '|' ORDER BY customer_id)), 'nothing') AS digest
  FROM holdfast.current_candidates AS candidate`;

const NO_SUCH_TABLE = '42P01';

export async function currentBatch(client: Client): Promise<Seen> {
  try {
    const { rows } = await client.query<Seen & { runs: number }>(CURRENT);
    const [{ rows: count, digest, runs } = { ...NOTHING, runs: 0 }] = rows;
    return { rows: count, digest: runs > 1 ? `a mixture of ${runs} runs` : digest };
  } catch (error) {
    // Not even migrated.
    if ((error as { code?: string }).code === NO_SUCH_TABLE) return NOTHING;
    throw error;
  }
}

/** Looks at the current batch over and over until it is stopped, through every failure of the server. */
export interface Watch {
  /** @returns every batch that was seen, each once */
  stop(): Promise<{ readonly seen: readonly Seen[]; readonly looks: number }>;
}

const BETWEEN_LOOKS_MS = 15;

export function watch(connect: () => Promise<Client>): Watch {
  const seen = new Map<string, Seen>();
  let looks = 0;
  const stopping = new AbortController();
  const look = async () => {
    let client: Client | undefined;
    while (!stopping.signal.aborted) {
      try {
        client ??= await connect();
        const batch = await currentBatch(client);
        seen.set(batch.digest, batch);
        looks += 1;
      } catch {
        // The server is what is being killed.
        void client?.end().catch(() => {});
        client = undefined;
      }
      await pause(BETWEEN_LOOKS_MS);
    }
    await client?.end().catch(() => {});
  };
  const looking = look();
  return {
    async stop() {
      stopping.abort();
      await looking;
      return { seen: [...seen.values()], looks };
    },
  };
}

/** What must hold once a run has ended well, beside what its batch is: a line for each thing that does not. */
export async function inconsistencies(client: Client): Promise<string[]> {
  const count = async (what: string, sql: string): Promise<string[]> => {
    const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count ${sql}`);
    return rows[0]?.count === 0 ? [] : [`${rows[0]?.count} ${what}`];
  };
  return [
    ...(await count(
      'candidates of the current batch without the same decision, or decisions without a candidate',
      `FROM (SELECT run, customer_id, arm, epoch, risk_level, offer_tier, offer_kind FROM holdfast.candidates
             JOIN holdfast.current_batches USING (namespace, program, run)) AS candidate
       FULL JOIN (SELECT run, customer_id, arm, epoch, risk_level, offer_tier, offer_kind FROM holdfast.decisions
             JOIN holdfast.current_batches USING (namespace, program, run)) AS decision
       USING (run, customer_id)
       WHERE (candidate.arm, candidate.epoch, candidate.risk_level, candidate.offer_tier, candidate.offer_kind)
         IS DISTINCT FROM (decision.arm, decision.epoch, decision.risk_level, decision.offer_tier, decision.offer_kind)`,
    )),
    ...(await count(
      'runs with candidates that were not published',
      'FROM (SELECT DISTINCT run FROM holdfast.candidates) AS stored JOIN holdfast.runs USING (run) WHERE published_at IS NULL',
    )),
    ...(await count('runs that seem to go on', `FROM holdfast.runs WHERE phase = 'Running'`)),
    ...(await count(
      'locks that nobody gave back',
      `FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )),
    ...(await count(
      'current batches whose run did not succeed',
      `FROM holdfast.current_batches JOIN holdfast.runs USING (namespace, program, run) WHERE phase <> 'Succeeded'`,
    )),
  ];
}
