import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

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

/** Takes a lock and waits for whoever has it. */
export async function lock(file: string): Promise<Disposable> {
  for (;;) {
    const held = tryLock(file);
    if (held !== undefined) return held;
    await pause(500);
  }
}
