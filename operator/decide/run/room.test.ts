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
  expect(names(nextInRoom(waiting, working, free))).toEqual(expected);
});

test('whoever of those that are next begins first, the others still are', () => {
  const waiting = [...flood, one, two, backfill, runOf('barn', 'b'), runOf('barn', 'w')];
  const working = [runOf('flood', '0'), runOf('barn', '1')];
  for (let free = 1; free < waiting.length; free += 1) {
    const next = nextInRoom(waiting, working, free);
    for (const first of next) {
      const others = waiting.filter((run) => run !== first);
      const after = nextInRoom(others, [...working, first], free - 1);
      expect(new Set(after)).toEqual(new Set(next.filter((run) => run !== first)));
    }
  }
});
