import type { Database } from '../client/database.ts';
import { type Batches, deleteInBatches } from '../client/in-batches.ts';
import { statement } from '../client/statement.ts';

/** Keys that one statement looks up or stores. */
const KEYS_A_STATEMENT = 5000;
const KEY_BYTES = 32;

/**
 * The outputs under keys that have not expired by the server's clock, in the order of the keys. Keys go as one run of bytes,
 * which takes half the time of a list; made a list there, they are looked up in the index, whatever the planner thinks.
 * @param keys 32 bytes each
 * @throws HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function readCachedScores(
  database: Database,
  keys: readonly Buffer[],
): Promise<readonly (Buffer | undefined)[]> {
  const found = new Map<string, Buffer>();
  for (let start = 0; start < keys.length; start += KEYS_A_STATEMENT) {
    const some = keys.slice(start, start + KEYS_A_STATEMENT);
    const { rows } = await statement<{ key: Buffer; outputs: Buffer }>(
      database,
      'look up scores',
      `SELECT key, outputs FROM holdfast.score_cache
       WHERE key = ANY (ARRAY(
           SELECT substring($1::bytea FROM place * ${KEY_BYTES} + 1 FOR ${KEY_BYTES})
           FROM generate_series(0, $2::int - 1) AS place))
         AND expires_at > now()`,
      [Buffer.concat(some), some.length],
    );
    for (const { key, outputs } of rows) found.set(key.toString('latin1'), outputs);
  }
  return keys.map((key) => found.get(key.toString('latin1')));
}

/**
 * Keeps outputs for some hours from now, by the server's clock.
 * @param scores of one model: their values are of one length
 * @throws HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_DISK_FULL
 */
export async function keepScores(
  database: Database,
  scores: readonly { readonly key: Buffer; readonly value: Buffer }[],
  ttlHours: number,
): Promise<void> {
  // In the order of the keys, so that two pods that keep the same rows do not wait for each other for ever.
  const ordered = scores.toSorted((one, other) => Buffer.compare(one.key, other.key));
  for (let start = 0; start < ordered.length; start += KEYS_A_STATEMENT) {
    const some = ordered.slice(start, start + KEYS_A_STATEMENT);
    const valueBytes = some[0]?.value.length ?? 0;
    await statement(
      database,
      'keep scores',
      `INSERT INTO holdfast.score_cache (key, outputs, expires_at)
       SELECT substring($1::bytea FROM place * ${KEY_BYTES} + 1 FOR ${KEY_BYTES}),
         substring($2::bytea FROM place * $3::int + 1 FOR $3::int), now() + make_interval(hours => $5)
       FROM generate_series(0, $4::int - 1) AS place
       ON CONFLICT (key) DO UPDATE SET outputs = EXCLUDED.outputs, expires_at = EXCLUDED.expires_at`,
      [
        Buffer.concat(some.map(({ key }) => key)),
        Buffer.concat(some.map(({ value }) => value)),
        valueBytes,
        some.length,
        ttlHours,
      ],
    );
  }
}

const EXPIRED_SCORES = 'FROM holdfast.score_cache WHERE expires_at <= $1';

/** @param now by both clocks */
export async function countExpiredScores(database: Database, now: Date): Promise<number> {
  const { rows } = await statement<{ count: string }>(
    database,
    'count the expired scores',
    `SELECT count(*) AS count ${EXPIRED_SCORES}`,
    [now],
  );
  return Number(rows[0]?.count);
}

/** Deletes scores past their time, of every model, and resolves to how many. @param now by both clocks */
export async function deleteExpiredScores(
  database: Database,
  now: Date,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  return deleteInBatches(
    database,
    { doing: 'delete expired scores', ...batches },
    `DELETE FROM holdfast.score_cache
     WHERE ctid = ANY (ARRAY(SELECT ctid ${EXPIRED_SCORES} ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [now],
  );
}
