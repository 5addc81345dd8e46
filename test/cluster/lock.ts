import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 500;
/** All programs of a cluster are built under one lock. */
const MOST_MS = 120 * 60_000;

/**
 * Takes a lock, or not where somebody has it. The operating system holds it (through SQLite), so it ends with its
 * holder, however that ends.
 * @param file made if absent; its folder must exist
 */
export function tryLock(file: string): Disposable | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return { [Symbol.dispose]: () => database.close() };
  } catch (error) {
    database.close();
    if (!/locked/.test(String(error))) throw error;
    return undefined;
  }
}

/**
 * Takes a lock and waits for whoever has it.
 * @throws Error when they have it longer than anything takes
 */
export async function lock(file: string): Promise<Disposable> {
  for (let waited = 0; waited < MOST_MS; waited += POLL_MS) {
    const held = tryLock(file);
    if (held !== undefined) return held;
    await pause(POLL_MS);
  }
  throw new Error(`not within ${MOST_MS / 60_000} minutes: ${file}, which another process holds`);
}
