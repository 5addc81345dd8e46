import { type Decision, type Freshness, NO_ATTEMPTS } from '../decide/action.ts';
import { KubeError, type KubeObject, keyOf, type ObjectKey } from '../kube/api.ts';
import { type Applied, apply } from './apply.ts';
import type { Context } from './context.ts';
import { kept } from './kept.ts';
import type { Kind } from './kind.ts';
import { writeStatus } from './write-status.ts';

/** Each round, one more object turns out to be in the way, to be there, or to be another than the cache has it. */
const MOST_ROUNDS = 8;

/**
 * However long nothing happens, what is not over is looked at again after this: for an event that was lost all the same,
 * and for a wall clock that was set while timers, which do not follow it, were running.
 */
const RESYNC_MS = 10 * 60_000;

/**
 * Gathers, decides and applies for one object, and writes its status; resolves to when to look again though nothing has
 * happened. One that we can make no sense of says so itself; the others are no worse for it.
 * @throws KubeError for what may go well another time; what `gather` and `decide` throw
 */
export async function reconcile(kind: Kind, key: ObjectKey, context: Context): Promise<Date | undefined> {
  try {
    const object = kind.objects(context.caches).get(key);
    const turn = object && kind.turn?.(object);
    if (turn === undefined) return await settle(kind, key, context);
    return await context.inTurn(`${kind.name} ${turn}`, () => settle(kind, key, context));
  } catch (error) {
    if (!(error instanceof KubeError)) await sayUnreadable(kind, key, error, context);
    throw error;
  }
}

/** Until nothing new turns up. */
async function settle(kind: Kind, key: ObjectKey, context: Context): Promise<Date | undefined> {
  const { api, caches, recorder, clock, newest } = context;
  const cached = kind.objects(caches).get(key);
  let object = cached && newest(cached);
  let freshness: Freshness = 'cached';
  let found: Applied = { existing: [], ...NO_ATTEMPTS };
  for (let round = 0; object !== undefined && round < MOST_ROUNDS; round += 1) {
    const decision = kind.decide(await kind.gather(object, { freshness, ...found }, context), clock.now());
    const needed = freshnessOf(decision);
    if (isFresher(needed, freshness)) {
      if (freshness === 'cached') object = await readLive(kind, object, context);
      freshness = needed;
      continue;
    }
    const applied = await apply(decision.actions, api, recorder);
    if (applied.existing.length === 0 && applied.taken.size === 0 && applied.refused.size === 0) {
      await writeStatus(api, kind.resource, object, decision.status);
      return kind.isOver?.(decision.status) ? undefined : lookAgain(decision.requeueAt, clock.now());
    }
    found = together(found, applied);
  }
  if (object !== undefined) throw new Error(`not settled in ${MOST_ROUNDS} rounds`);
  return undefined;
}

/**
 * Who makes something relies on its not being made, and what was made be forgotten, since; who ends or changes something, on
 * the object's not having gone on. What it is done to is looked at when it is done.
 */
function freshnessOf({ actions, restsOn = 'cached' }: Decision<object>): Freshness {
  const isAnyDone = actions.some((action) => action.do !== 'event' && !(action.do === 'patch' && action.optional));
  return isAnyDone && restsOn === 'cached' ? 'object' : restsOn;
}

const FRESHNESS: readonly Freshness[] = ['cached', 'object', 'program', 'all'];

function isFresher(one: Freshness, other: Freshness): boolean {
  return FRESHNESS.indexOf(one) > FRESHNESS.indexOf(other);
}

/** The object as the API server has it, with what a cache would keep of it: what is too large is not looked at. */
async function readLive({ resource }: Kind, object: KubeObject, { api }: Context): Promise<KubeObject | undefined> {
  const live = await api.get(resource, keyOf(object));
  return live?.metadata.resourceVersion === object.metadata.resourceVersion ? object : live && kept(live, object);
}

/** What all attempts of this reconcile have shown. */
function together(before: Applied, { existing, taken, refused }: Applied): Applied {
  return {
    existing: [...before.existing, ...existing],
    taken: new Set([...before.taken, ...taken]),
    refused: new Map([...before.refused, ...refused]),
  };
}

async function sayUnreadable(kind: Kind, key: ObjectKey, error: unknown, context: Context): Promise<void> {
  const { api, caches, clock, newest } = context;
  const cached = kind.objects(caches).get(key);
  if (cached === undefined) return;
  const object = newest(cached);
  const message = error instanceof Error ? error.message : String(error);
  await writeStatus(api, kind.resource, object, kind.unreadable(object, message, clock.now()));
}

/** When to look again: as asked, but not later than a resync. */
function lookAgain(asked: Date | undefined, now: Date): Date {
  const latest = new Date(now.getTime() + RESYNC_MS);
  return asked === undefined || asked > latest ? latest : asked;
}
