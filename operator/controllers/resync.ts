/**
 * However long nothing happens, what is not over is looked at again after this: for an event that was lost all the same,
 * and for a wall clock that was set while timers, which do not follow it, were running.
 */
const RESYNC_MS = 10 * 60_000;

/** When to look again: as asked, but not later than that. */
export function lookAgain(asked: Date | undefined, now: Date): Date {
  const latest = new Date(now.getTime() + RESYNC_MS);
  return asked === undefined || asked > latest ? latest : asked;
}
