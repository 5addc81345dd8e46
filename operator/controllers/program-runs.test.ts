import { expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { storedProgram } from '../../test/support/program.ts';
import { storedRun } from '../../test/support/run-snapshot.ts';
import { NO_ATTEMPTS } from '../decide/action.ts';
import type { RunObject } from '../kube/objects.ts';
import { createStore, type Store } from '../kube/store.ts';
import type { Context } from './context.ts';
import { runsForProgram, runsForRun } from './program-runs.ts';
import { WATCHED } from './watched.ts';

/*
 * How much is read of a program's runs at each look, of which there may be thousands that are over.
 */
const KNOWN = { freshness: 'cached', existing: [], ...NO_ATTEMPTS } as const;
const NOW = new Date('2026-12-01T00:00:00Z');
const PROGRAM = storedProgram({}, { metadata: { creationTimestamp: '2020-01-01T00:00:00Z' } });

/** A run that a person had made, of one minute each. */
function past(index: number): RunObject {
  const at = new Date(Date.UTC(2026, 10, 1) + index * 60_000).toISOString().replace('.000', '');
  const phase = index % 3 === 0 ? 'Failed' : 'Succeeded';
  const conditions = [
    { type: 'Complete', status: 'True' as const, reason: phase, message: '', lastTransitionTime: at },
  ];
  return storedRun(`past-${index}`, {}, { phase, slot: at, startTime: at, conditions }, at);
}

/** The store, and how many of its objects were handed out. */
function counted(runs: Store<RunObject>): { readonly store: Store<RunObject>; read: number } {
  const counts = {
    read: 0,
    store: {
      ...runs,
      list: () => told(runs.list()),
      byIndex: (...which: [string, string]) => told(runs.byIndex(...which)),
      *lastByIndex(...which: [string, string, string?]) {
        for (const run of runs.lastByIndex(...which)) {
          counts.read += 1;
          yield run;
        }
      },
    } as Store<RunObject>,
  };
  const told = (found: readonly RunObject[]) => {
    counts.read += found.length;
    return found;
  };
  return counts;
}

test('of thousands of runs that are over the newest are read, and those that are not', async () => {
  const store = createStore<RunObject>(WATCHED.runs.indexes);
  for (let index = 0; index < 3000; index += 1) store.set(past(index));
  const waiting = storedRun('waiting', { pipeline: 'campaign' as never }, { phase: 'Pending' }, NOW.toISOString());
  store.set(waiting);
  const runs = counted(store);
  const context = {
    caches: { runs: runs.store },
    newest: (object: RunObject) => object,
    pipelines: WITH_CAMPAIGN,
    clock: { now: () => NOW },
  } as unknown as Context;
  const names = (found: readonly RunObject[]) => found.map(({ metadata }) => metadata.name).toSorted();
  expect(names(await runsForProgram(PROGRAM, KNOWN, context))).toEqual(['past-2999', 'waiting']);
  expect(runs.read).toBeLessThan(10);
  runs.read = 0;
  const look = { run: waiting, program: PROGRAM, original: undefined, pipelines: WITH_CAMPAIGN };
  expect(await runsForRun(look, KNOWN, context)).toHaveLength(1);
  expect(runs.read).toBeLessThan(10);
  runs.read = 0;
  expect(await runsForRun({ ...look, run: past(0) }, KNOWN, context)).toEqual([]);
  expect(runs.read).toBe(0);
});
