import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { isFinal } from '../../operator/decide/run/snapshot.ts';
import { type KubeObject, RESOURCES } from '../../operator/kube/api.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import { timelessText } from '../support/timeless.ts';
import type { Reference } from './picture.ts';
import { differences, type Picture, takePicture } from './picture.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** Nothing may change for so long, with a leader that has nothing to do. */
const QUIET_MS = 500;
const LOOK_MS = 150;
/** Past the operator's longest wait that any of the faults leads to: a lease that expires, or a request that hangs. */
const PATIENCE_MS = 60_000;

/**
 * Waits until the namespace looks as it should, and stays so while the operator has nothing to do.
 * @returns what is wrong, a line each; nothing when it has come to the same end in the same way
 */
export async function converge(world: World): Promise<readonly string[]> {
  const wrong = await settle(world, world.signal);
  if (wrong === undefined) return await past(world);
  const { picture } = await takePicture(world.client, world.namespace);
  return [wrong, ...differences(referenceOf(world).picture, picture)];
}

/** The same without a look at what came before. */
export async function settle(world: World, signal: AbortSignal): Promise<string | undefined> {
  const { client, namespace } = world;
  const reference = referenceOf(world);
  const deadline = performance.now() + PATIENCE_MS;
  let wrong = 'nothing was seen yet';
  for (; performance.now() < deadline && !signal.aborted; await pause(LOOK_MS)) {
    // The programs come to their end last, and are quickly looked at.
    wrong = 'the programs have not come to their end';
    if (!(await hasProgramsOf(reference, world))) continue;
    wrong = 'not everything has come to its end';
    const before = await takePicture(client, namespace);
    if (!isDeepStrictEqual(before.picture, reference.picture)) continue;
    wrong = 'there is no leader that has nothing to do';
    const state = await work(world);
    await pause(QUIET_MS);
    const after = await takePicture(client, namespace);
    if (state !== undefined && state === (await work(world)) && before.version === after.version) return undefined;
  }
  return wrong;
}

function referenceOf({ reference }: World): Reference {
  if (reference === undefined) throw new Error('There is nothing to compare with.');
  return reference;
}

/**
 * What the world comes to with nothing in its way, which is to be what its scenario says.
 * @param ends how each run ends that is there then, by the reason of its condition
 */
export async function refer(world: World, ends: Scenario['ends']): Promise<Reference> {
  const { client, namespace } = world;
  let last: string | undefined;
  await world.until('the undisturbed run is over', async () => {
    const { picture, version } = await takePicture(client, namespace);
    const state = await work(world);
    const now = `${version} ${state}`;
    if (isDone(picture, ends) && state !== undefined && now === last) return true;
    last = now;
    await pause(QUIET_MS);
    return undefined;
  });
  const { picture } = await takePicture(client, namespace);
  const [broken] = world.history.broken(world.rules, world.pipelines);
  if (broken !== undefined) throw new Error(`Undisturbed, a rule is broken: ${broken}`);
  return { picture, made: await world.history.made(), events: await eventsOf(world) };
}

async function hasProgramsOf({ picture }: Reference, { client, namespace }: World): Promise<boolean> {
  const programs = await takePicture(client, namespace, [RESOURCES.retentionPrograms]);
  return Object.entries(programs.picture).every(([name, program]) => isDeepStrictEqual(program, picture[name]));
}

/** Whether every run is over, for the reason that it should be. */
function isDone(picture: Picture, ends: Scenario['ends']): boolean {
  const runs = (Object.values(picture) as KubeObject[]).filter(({ kind }) => kind === 'RetentionRun') as RunObject[];
  const found = runs
    .filter(isFinal)
    .map(({ metadata, status }): [string, string | undefined] => [
      metadata.name,
      status?.conditions?.find(({ type }) => type === 'Complete')?.reason,
    ]);
  return runs.length === found.length && isDeepStrictEqual(Object.fromEntries(found), ends);
}

/** What the leader has done so far; undefined while there is none, or it is at work. */
async function work({ replicas }: World): Promise<string | undefined> {
  const metrics = (await Promise.all(replicas.map((replica) => replica.metrics()))).filter((one) => one !== undefined);
  const leaders = metrics.filter((one) => one['holdfast_operator_leading'] === 1);
  const [leader] = leaders;
  if (leader === undefined || leaders.length > 1 || leader['holdfast_operator_queue_depth'] !== 0) return undefined;
  const syncs = leader['holdfast_operator_syncs_total'];
  return syncs === 0 ? undefined : `${leader['holdfast_operator_terms_total']} ${syncs}`;
}

/** An end state does not show everything that came before it. */
async function past(world: World): Promise<readonly string[]> {
  const { made, events } = referenceOf(world);
  const found = await world.history.made();
  const all = [...new Set([...made, ...found])];
  const count = (names: readonly string[], name: string) => names.filter((other) => other === name).length;
  const said = await eventsOf(world);
  const most = (event: string) => Math.max(count(events, event), world.maySay?.test(event) ? 1 : 0);
  return [
    ...world.history.broken(world.rules, world.pipelines),
    ...all
      .filter((name) => count(made, name) !== count(found, name))
      .map((name) => `${name} was made ${count(found, name)} times instead of ${count(made, name)}`),
    // Advisory, so one may be lost; but nothing is said twice, and nothing that was not said undisturbed.
    ...[...new Set(said)]
      .filter((event) => count(said, event) > most(event))
      .map((event) => `the event "${event}" was written ${count(said, event)} times`),
  ];
}

async function eventsOf({ client, namespace }: World): Promise<readonly string[]> {
  const { items } = await client.list(RESOURCES.events, { namespace });
  return items.map((event) => {
    const { reason, note, regarding } = event as unknown as Record<string, unknown> & { regarding: { name: string } };
    return `${String(reason)} of ${regarding.name}: ${timelessText(String(note), namespace)}`;
  });
}
