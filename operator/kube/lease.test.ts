import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeClock, fakeClock } from '../../test/support/fake-clock.ts';
import { type LeaseHolder, type LeaseLine, leaseHolder } from '../../test/support/lease-api.ts';
import type { OwnerReference } from './api.ts';
import { type Elector, type Lease, startElector } from './lease.ts';

interface Candidate {
  readonly line: LeaseLine;
  readonly elector: Elector;
  readonly clock: FakeClock;
  /** When each term began and ended, in milliseconds. */
  readonly terms: { readonly from: number; to?: number }[];
  readonly errors: readonly unknown[];
}

let clock: FakeClock;
let server: LeaseHolder;
let candidates: Candidate[];

beforeEach(() => {
  clock = fakeClock(new Date('2026-11-23T02:00:00.125Z'));
  server = leaseHolder();
  candidates = [];
});

afterEach(async () => {
  for (const { line, elector } of candidates) {
    line.state = 'up';
    const stopped = elector.stop();
    // What still hangs is given up.
    await clock.advance(3_000);
    await stopped;
  }
});

function candidate(identity: string, own: FakeClock = clock, owner?: OwnerReference): Candidate {
  const line = server.line();
  const terms: Candidate['terms'] = [];
  const errors: unknown[] = [];
  const elector = startElector(line, {
    clock: own,
    random: () => 0.5,
    namespace: 'holdfast',
    name: 'operator',
    identity,
    owner,
    onError: (error) => errors.push(error),
    onLead(signal) {
      const term: Candidate['terms'][number] = { from: own.elapsed() };
      terms.push(term);
      signal.addEventListener('abort', () => {
        term.to = own.elapsed();
      });
    },
  });
  const made = { line, elector, clock: own, terms, errors };
  candidates.push(made);
  return made;
}

function held(holderIdentity: string, spec: NonNullable<Lease['spec']>): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'operator', namespace: 'holdfast' },
    spec: { holderIdentity, ...spec },
  };
}

/** Turns the clock in small steps; nobody may ever see two leaders. */
async function pass(milliseconds: number): Promise<void> {
  for (let time = 0; time < milliseconds; time += 100) {
    await clock.advance(100);
    const leaders = candidates.filter((one) => one.clock === clock && one.elector.leads());
    expect(leaders.length).toBeLessThan(2);
  }
}

test('of two that start at once one leads, and the other has nothing to report', async () => {
  const both = [candidate('a'), candidate('b')];
  await clock.advance(5_000);
  expect(both.filter(({ elector }) => elector.leads())).toHaveLength(1);
  expect(both.flatMap(({ errors }) => errors)).toEqual([]);
});

test('the first takes a lease that nobody has made, for 10 s, with times in microseconds', async () => {
  const a = candidate('a');
  await clock.advance(0);
  expect(a.elector.leads()).toBe(true);
  expect(server.lease()).toEqual({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'operator', namespace: 'holdfast', resourceVersion: '1' },
    spec: {
      holderIdentity: 'a',
      leaseDurationSeconds: 10,
      acquireTime: '2026-11-23T02:00:00.125000Z',
      renewTime: '2026-11-23T02:00:00.125000Z',
      leaseTransitions: 0,
    },
  });
});

test('a lease that is taken over belongs to the Deployment of whoever took it, and keeps its other metadata', async () => {
  const owner = (uid: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'operator', uid });
  const { metadata, ...before } = held('', { leaseDurationSeconds: 1 });
  server.set({ ...before, metadata: { ...metadata, labels: { team: 'crm' }, ownerReferences: [owner('gone')] } });
  candidate('a', clock, owner('new'));
  await clock.advance(0);
  expect(server.lease()?.metadata).toMatchObject({ labels: { team: 'crm' }, ownerReferences: [owner('new')] });
});

test('it is renewed every 4 s, and the term goes on', async () => {
  const a = candidate('a');
  await pass(60_000);
  expect(server.writes()).toBe(16);
  expect(a.terms).toEqual([{ from: 0 }]);
  expect(server.lease()?.spec).toMatchObject({
    acquireTime: '2026-11-23T02:00:00.125000Z',
    renewTime: '2026-11-23T02:01:00.125000Z',
  });
});

test('of two only one leads, and the other knows which', async () => {
  const a = candidate('a');
  const b = candidate('b');
  await pass(60_000);
  expect([a.terms, b.terms]).toEqual([[{ from: 0 }], []]);
  expect(b.elector.holder()).toBe('a');
});

test('a leader that stops lets go: another leads within 2 s', async () => {
  const a = candidate('a');
  const b = candidate('b');
  await pass(5_000);
  await a.elector.stop();
  expect(a.elector.leads()).toBe(false);
  expect(server.lease()?.spec).not.toHaveProperty('holderIdentity');
  const stopped = clock.elapsed();
  await pass(2_000);
  expect(b.elector.leads()).toBe(true);
  expect((b.terms[0]?.from ?? Infinity) - stopped).toBeLessThanOrEqual(2_000);
  expect(server.lease()?.spec?.leaseTransitions).toBe(1);
});

/** What becomes of leader `a` at 5 s, when its last renewal was at 4 s, and whether b leads then. */
const losses: Record<string, { readonly befalls: (a: Candidate) => void; readonly bLeads: boolean }> = {
  'its line is cut': { befalls: (a) => (a.line.state = 'cut'), bLeads: true },
  'its requests hang': { befalls: (a) => (a.line.state = 'hang'), bLeads: true },
  'the server fails': { befalls: (a) => (a.line.state = 'refused'), bLeads: true },
  'someone takes the lease from it': {
    befalls: () => server.set(held('stranger', { leaseDurationSeconds: 60 })),
    bLeads: false,
  },
};

test.each(Object.entries(losses))('a leader gives up when %s, before another leads', async (_, { befalls, bLeads }) => {
  const a = candidate('a');
  const b = candidate('b');
  await pass(5_000);
  befalls(a);
  await pass(7_500);
  expect(a.elector.leads()).toBe(false);
  expect(a.terms).toHaveLength(1);
  expect(a.terms[0]?.to).toBeLessThanOrEqual(12_000);
  await pass(4_500);
  expect(b.elector.leads()).toBe(bLeads);
});

test('after a leader that died another leads within 13 s', async () => {
  const a = candidate('a');
  const b = candidate('b');
  await pass(8_000);
  // Dead just after it renewed: the worst moment.
  a.line.state = 'cut';
  await pass(13_000);
  expect(b.elector.leads()).toBe(true);
  expect(b.terms[0]?.from).toBeLessThanOrEqual(21_000);
});

test('a leader whose renewal arrived though its answer was lost leads on', async () => {
  const a = candidate('a');
  await pass(3_900);
  a.line.state = 'deaf';
  await pass(1_000);
  a.line.state = 'up';
  await pass(20_000);
  expect(a.terms).toEqual([{ from: 0 }]);
});

test('a leader whose Lease was deleted makes it anew and leads on', async () => {
  const a = candidate('a');
  await pass(5_000);
  server.set(undefined);
  await pass(5_000);
  expect(server.lease()?.spec?.holderIdentity).toBe('a');
  expect(a.terms).toEqual([{ from: 0 }]);
});

test('a leader that was stopped and continued knows at once that it leads no more, though no timer has told it', async () => {
  const own = fakeClock();
  const a = candidate('a', own);
  await own.advance(0);
  const b = candidate('b');
  await pass(12_000);
  expect(b.elector.leads()).toBe(true);
  // The process of `a` saw nothing of those 12 s.
  own.jump(12_000);
  expect(a.elector.leads()).toBe(false);
  await own.advance(5_000);
  expect(a.terms).toEqual([{ from: 0, to: 12_000 }]);
  expect(server.holders).toEqual(['a', 'b']);
});

test('clocks of machines are not compared: a lease from the future or the past lasts from when it was seen', async () => {
  for (const renewTime of ['2020-01-01T00:00:00.000000Z', '2040-01-01T00:00:00.000000Z']) {
    server.set(held('before', { leaseDurationSeconds: 10, renewTime }));
    const a = candidate('a');
    await pass(9_900);
    expect(a.elector.leads()).toBe(false);
    await pass(200);
    expect(a.elector.leads()).toBe(true);
    await a.elector.stop();
  }
});

test('one that stops without leading leaves the lease alone', async () => {
  candidate('a');
  const b = candidate('b');
  await pass(5_000);
  await b.elector.stop();
  expect(server.lease()?.spec?.holderIdentity).toBe('a');
});
