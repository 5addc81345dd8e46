import { Client } from 'pg';
import { until } from '../support/until.ts';

/** The first key of the advisory locks that the gates are: the tasks' own locks have one key. */
const GATES = 4711;

/**
 * Stops tasks in the middle. What a task has to write to Postgres passes its gate, so a task whose gate is closed has done
 * its work and recorded nothing: where being ended hurts most.
 */
export interface Gates extends AsyncDisposable {
  /** @param task STAGE/TASK, as in extract/extract */
  close(task: string): Promise<void>;
  open(task: string): Promise<void>;
  /** Resolves once a pod is at the gate of a task. */
  reached(task: string): Promise<void>;
  /** Resolves once none is. */
  left(task: string): Promise<void>;
  /** Takes the turn of a task that records nothing, given as NAMESPACE/PROGRAM/RUN/TASK, until what it gives back is called. */
  takeTurn(task: string): Promise<() => Promise<void>>;
  /** Resolves once so many pods of a task, given as STAGE/TASK, wait for their turn. */
  waiting(task: string, count: number): Promise<void>;
}

/** A task is known by the name that it gives to its connections. */
const key = (task: string) => `hashtext('holdfast ${task}')`;

/** @param url of a database that has been migrated */
export async function installGates(url: string): Promise<Gates> {
  const client = new Client({ connectionString: url, application_name: 'gates' });
  await client.connect();
  await client.query(`
    CREATE FUNCTION public.pass_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_lock_shared(${GATES}, hashtext(current_setting('application_name')));
      PERFORM pg_advisory_unlock_shared(${GATES}, hashtext(current_setting('application_name')));
      RETURN NULL;
    END $$;
    CREATE TRIGGER gate BEFORE INSERT OR UPDATE ON holdfast.runs FOR EACH STATEMENT EXECUTE FUNCTION public.pass_gate();
    CREATE TRIGGER gate BEFORE INSERT ON holdfast.candidates FOR EACH STATEMENT EXECUTE FUNCTION public.pass_gate();
  `);
  const waiting = async (task: string) => {
    const { rows } = await client.query<{ waiting: string }>(
      `SELECT count(*) AS waiting FROM pg_locks
       WHERE locktype = 'advisory' AND NOT granted AND classid = ${GATES}
         AND objid = (${key(task)}::bigint & 4294967295)::oid`,
    );
    return Number(rows[0]?.waiting);
  };
  return {
    async close(task) {
      await client.query(`SELECT pg_advisory_lock(${GATES}, ${key(task)})`);
    },
    async open(task) {
      await client.query(`SELECT pg_advisory_unlock(${GATES}, ${key(task)})`);
    },
    async reached(task) {
      await until(
        `a pod is in the middle of ${task}`,
        () => waiting(task),
        (count) => count > 0,
      );
    },
    async left(task) {
      await until(
        `no pod is in the middle of ${task}`,
        () => waiting(task),
        (count) => count === 0,
      );
    },
    async takeTurn(task) {
      const turn = [`holdfast task ${task}`];
      await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', turn);
      return async () => {
        await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', turn);
      };
    },
    async waiting(task, count) {
      const waits = async () => {
        const { rows } = await client.query<{ waiting: string }>(
          `SELECT count(*) AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = $1 AND wait_event = 'advisory'`,
          [`holdfast ${task}`],
        );
        return Number(rows[0]?.waiting);
      };
      await until(`${count} pods of ${task} wait for their turn`, waits, (found) => found === count);
    },
    async [Symbol.asyncDispose]() {
      await client.end();
    },
  };
}
