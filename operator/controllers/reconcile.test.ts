import { afterEach, expect, test } from '@jest/globals';
import { openWorld, type World } from '../../test/support/operator-world.ts';
import { pipelineStatusOf, program } from '../../test/support/program.ts';
import { type Action, type Attempts, attemptKey } from '../decide/action.ts';
import { KubeError, type KubeObject, keyOf, RESOURCES, type Resource } from '../kube/api.ts';
import type { ProgramObject, StoredMetadata } from '../kube/objects.ts';
import { ownerReference } from '../objects/owner.ts';
import { type CachesOf, objectsOf, type Sources } from './caches.ts';
import type { Kind } from './kind.ts';
import { KINDS } from './registry.ts';
import { WATCHED, type Watched } from './watched.ts';

const { configMaps, events, retentionPrograms } = RESOURCES;
const NOON = new Date('2026-11-20T12:00:00Z');

const campaigns: Resource = { ...retentionPrograms, plural: 'campaigns', kind: 'Campaign' };

/** A kind that nobody has told the operator of: at its hour it makes its letters, and counts those that are there. */
interface Campaign extends KubeObject {
  readonly metadata: StoredMetadata;
  readonly spec: { readonly due: string; readonly letters: readonly string[] };
  readonly status?: CampaignStatus;
}

interface CampaignStatus {
  readonly phase: 'Waiting' | 'Sent' | 'Unreadable';
  readonly sent?: number;
  readonly message?: string;
}

interface CampaignSnapshot {
  readonly campaign: Campaign;
  readonly there: readonly string[];
  readonly attempts: Attempts;
}

type Extended = Watched & { readonly campaigns: Campaign };

const watched: Sources<Extended> = { ...WATCHED, campaigns: { resource: campaigns, indexes: {} } };

/** What reading costs it: the failures to come, one for each time that it is gathered. */
let failures: KubeError[] = [];

const campaignKind: Kind<Campaign, CampaignSnapshot, CampaignStatus> = {
  name: 'campaign',
  resource: campaigns,
  workers: 1,
  objects: (caches) => (caches as CachesOf<Extended>).campaigns,
  concerned: (change) =>
    change.cache === 'revisions'
      ? objectsOf(change).flatMap(({ metadata }) =>
          (metadata.ownerReferences ?? [])
            .filter(({ kind }) => kind === campaigns.kind)
            .map(({ name }) => `${metadata.namespace}/${name}`),
        )
      : [],
  async gather(campaign, known, { caches }) {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    const owner = `${campaign.metadata.namespace}/${campaign.metadata.uid}`;
    const there = [...caches.revisions.byIndex('owner', owner), ...known.existing];
    return { campaign, there: there.map(({ metadata }) => metadata.name), attempts: known };
  },
  decide({ campaign, there, attempts }, now) {
    const due = new Date(campaign.spec.due);
    if (now < due) return { actions: [], status: { phase: 'Waiting' }, requeueAt: due };
    const letters = campaign.spec.letters.map((name) => letter(campaign, name));
    const missing = letters.filter(
      (object) => !there.includes(object.metadata.name) && !attempts.taken.has(attemptKey(object)),
    );
    const made = missing.map((object): Action => ({ do: 'create', resource: configMaps, object }));
    const said: Action = { do: 'event', regarding: campaign, reason: 'RunCreated', message: 'sent' };
    const sent = letters.filter((object) => !attempts.taken.has(attemptKey(object))).length;
    return { actions: made.length === 0 ? [] : [...made, said], status: { phase: 'Sent', sent } };
  },
  unreadable: (_campaign, message) => ({ phase: 'Unreadable', message }),
};

function letter(campaign: Campaign, name: string): KubeObject {
  const labels = { 'app.kubernetes.io/managed-by': 'holdfast' };
  const metadata = { name, namespace: 'shop', labels, ownerReferences: [ownerReference(campaign)] };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

let world: World;

afterEach(async () => {
  failures = [];
  await world.stop();
});

function open(): void {
  world = openWorld({ start: NOON, kinds: [...KINDS, campaignKind], watched });
  world.kube.put(retentionPrograms, program());
}

function campaign(spec: Partial<Campaign['spec']> = {}): KubeObject {
  const metadata = { name: 'autumn', namespace: 'shop' };
  const letters = ['hello'];
  return { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Campaign', metadata, spec: { due: '', letters, ...spec } };
}

const status = () => world.kube.get<Campaign>(campaigns, 'shop/autumn')?.status;
const letters = () => world.kube.all(configMaps).map(keyOf);
const inAMinute = '2026-11-20T12:01:00Z';

test('a kind that is added by one line is reconciled beside the others, and again when it asked for it', async () => {
  open();
  world.kube.put(campaigns, campaign({ due: inAMinute }));
  await world.settle();
  expect([status(), letters()]).toEqual([{ phase: 'Waiting' }, []]);
  await world.clock.advance(60_000);
  await world.settle();
  expect([status(), letters()]).toEqual([{ phase: 'Sent', sent: 1 }, ['shop/hello']]);
  expect(world.kube.all(events).filter(({ metadata }) => metadata.name.startsWith('autumn.'))).toHaveLength(1);
  expect(pipelineStatusOf(world.kube.all<ProgramObject>(retentionPrograms)[0])?.nextSlot).toBe('2026-11-23T02:00:00Z');
  expect(world.errors).toEqual([]);
});

test('what another object tells it brings it back: a letter that somebody takes away is made again', async () => {
  open();
  world.kube.put(campaigns, campaign({ due: NOON.toISOString() }));
  await world.settle();
  world.kube.remove(configMaps, 'shop/hello');
  await world.settle();
  expect(letters()).toEqual(['shop/hello']);
});

test('a read that fails is tried again after a while, and the object says nothing of it', async () => {
  open();
  failures = [new KubeError(503, 'ServiceUnavailable', 'not now'), new KubeError(503, 'ServiceUnavailable', 'not now')];
  world.kube.put(campaigns, campaign({ due: NOON.toISOString() }));
  await world.settle();
  expect([status(), letters()]).toEqual([{ phase: 'Sent', sent: 1 }, ['shop/hello']]);
  expect(world.errors).toEqual(Array.from({ length: 2 }, () => 'campaign shop/autumn: KubeError: not now'));
});

test('one that no sense can be made of says so itself, and goes on once it is mended', async () => {
  open();
  world.kube.put(campaigns, { ...campaign(), spec: { due: NOON.toISOString() } });
  await world.settle();
  expect(status()).toEqual({ phase: 'Unreadable', message: expect.stringMatching(/undefined/) });
  world.kube.change(campaigns, 'shop/autumn', (object) => {
    object['spec'].letters = ['hello'];
  });
  await world.settle();
  expect([status(), letters()]).toEqual([{ phase: 'Sent', sent: 1 }, ['shop/hello']]);
});

test('of several objects whose names are taken each is known to the decision that comes after', async () => {
  open();
  for (const name of ['one', 'two']) {
    world.kube.put(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } });
  }
  world.kube.put(campaigns, campaign({ due: NOON.toISOString(), letters: ['one', 'two', 'three'] }));
  await world.settle();
  expect(status()).toEqual({ phase: 'Sent', sent: 1 });
  expect(letters()).toEqual(['shop/one', 'shop/two', 'shop/three']);
  expect(world.errors).toEqual([]);
});

test('an operator that is killed around a write of such a kind leaves a successor that ends where it would have', async () => {
  const play = async (fated?: { readonly at: number; readonly fate: 'killed before' | 'killed after' }) => {
    world = openWorld({
      start: NOON,
      kinds: [campaignKind],
      watched,
      fate: (_write, number) => (number === fated?.at ? fated.fate : 'live'),
    });
    world.kube.put(campaigns, campaign({ due: NOON.toISOString(), letters: ['one', 'two'] }));
    await world.settle();
    await world.stop();
    return { status: status(), letters: letters() };
  };
  const undisturbed = await play();
  const writes = world.writes.length;
  expect(writes).toBe(4);
  for (let at = 1; at <= writes; at += 1) {
    for (const fate of ['killed before', 'killed after'] as const) {
      expect({ at, fate, ...(await play({ at, fate })) }).toEqual({ at, fate, ...undisturbed });
    }
  }
});
