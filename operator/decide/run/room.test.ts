import { expect, test } from '@jest/globals';
import { storedRun } from '../../../test/support/run-snapshot.ts';
import type { RunObject } from '../../kube/objects.ts';
import { nextInRoom } from './room.ts';

/*
 * Who of those that wait gets the places that are free.
 */
function runOf(namespace: string, name: string, spec: Partial<RunObject['spec']> = {}): RunObject {
  const made = storedRun(name, spec);
  return { ...made, metadata: { ...made.metadata, namespace, uid: `${namespace}/${name}` } };
}

const NONE: ReadonlySet<string> = new Set();
const SOME = new Set(['flood', 'shop', 'attic', 'barn']);
const names = (runs: readonly RunObject[]) => runs.map(({ metadata }) => metadata.name);
const flood = ['a', 'b', 'c', 'd'].map((name) => runOf('flood', name));
const [one, two] = [runOf('shop', 'x'), runOf('shop', 'y')] as const;
const backfill = runOf('attic', 'z', { trigger: 'backfill' });

test.each([
  ['the oldest, of one namespace', flood, [], 2, ['a', 'b']],
  ['each namespace in turn', [...flood, one, two], [], 3, ['a', 'x', 'b']],
  ['the namespace that has fewer at work', [...flood, one, two], [runOf('flood', '0')], 1, ['x']],
  ['a backfill last, whoever made it', [backfill, ...flood], [runOf('flood', '0')], 4, ['a', 'b', 'c', 'd']],
  ['nobody, where no place is free', flood, [one, two], -1, []],
] as const)('places go to %s', (_who, waiting, working, free, expected) => {
  expect(names(nextInRoom(waiting, working, free, NONE))).toEqual(expected);
});

const many = (namespace: string, count: number) =>
  Array.from({ length: count }, (_, index) => runOf(namespace, `${namespace}-${String(index).padStart(2, '0')}`));

test.each<[string, readonly string[], Readonly<Record<string, number>>, number, number]>([
  ['alone, all', ['flood'], {}, 10, 10],
  ['all but one, where another may come', ['flood', 'shop'], {}, 10, 9],
  ['all, where the other is at work', ['flood', 'shop'], { shop: 1 }, 9, 9],
  ['half, where many may come', Array.from({ length: 30 }, (_, index) => `shop-${index}`), {}, 10, 5],
  ['half, rounded up', Array.from({ length: 30 }, (_, index) => `shop-${index}`), {}, 5, 3],
  ['one, where there is one', ['flood', 'shop'], {}, 1, 1],
  ['one, where all others are taken', ['flood', 'shop', 'attic'], { shop: 9 }, 1, 1],
  ['no more, where the last is left to another', ['flood', 'shop', 'attic'], { flood: 8, shop: 1 }, 1, 0],
])('of free places a namespace with many runs gets %s', (_how, namespaces, atWork, free, expected) => {
  const working = Object.entries(atWork).flatMap(([namespace, count]) => many(namespace, count));
  const waiting = many('flood', 20).map((run, index) => ({ ...run, metadata: { ...run.metadata, uid: `w${index}` } }));
  expect(nextInRoom(waiting, working, free, new Set(namespaces))).toHaveLength(expected);
});

test('of many namespaces that come one after the other several get a place, however many runs the first has', () => {
  const namespaces = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
  const working: RunObject[] = [];
  // No run ever ends.
  for (const namespace of namespaces) {
    working.push(...nextInRoom(many(namespace, 20), working, 10 - working.length, new Set(namespaces)));
  }
  const held = Map.groupBy(working, ({ metadata }) => metadata.namespace);
  expect([...held].map(([namespace, runs]) => `${namespace} ${runs.length}`)).toEqual(['a 5', 'b 3', 'c 1', 'd 1']);
});

test('whoever of those that are next begins first, the others still are', () => {
  const waiting = [...flood, one, two, backfill, runOf('barn', 'b'), runOf('barn', 'w')];
  const working = [runOf('flood', '0'), runOf('barn', '1')];
  for (const [namespaces, free] of [NONE, SOME].flatMap((set) =>
    waiting.map((_, index) => [set, index + 1] as const),
  )) {
    const next = nextInRoom(waiting, working, free, namespaces);
    for (const first of next) {
      const others = waiting.filter((run) => run !== first);
      const after = nextInRoom(others, [...working, first], free - 1, namespaces);
      expect(new Set(after)).toEqual(new Set(next.filter((run) => run !== first)));
    }
  }
});
