import { expect, test } from '@jest/globals';
import { type KubeApi, type KubeObject, type List, RESOURCES, type Resource } from '../../operator/kube/api.ts';
import { program, run } from '../../test/support/program.ts';
import type { Cluster } from './cluster.ts';
import { followPrograms } from './follow-programs.ts';
import type { ProgramView } from './program-view.ts';

/** Longer than what several changes wait for each other. */
const SETTLED_MS = 300;

test('nothing is shown until everything is known: every page of programs, and the runs', async () => {
  const secondPage = Promise.withResolvers<void>();
  const runsListed = Promise.withResolvers<void>();
  const page = (items: readonly KubeObject[], more: object = {}) =>
    ({ items, resourceVersion: '1', bytes: 100, ...more }) as List;
  const api = {
    async list(resource: Resource, { continue: from }: { continue?: string }) {
      if (resource === RESOURCES.retentionRuns) {
        await runsListed.promise;
        return page([run('b-by-hand', { programRef: { name: 'b' } })]);
      }
      if (from === undefined) return page([program({}, 'a')], { continue: 'more' });
      await secondPage.promise;
      return page([program({}, 'b')]);
    },
    async *watch(_resource: Resource, _options: object, signal: AbortSignal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
  } as unknown as KubeApi;
  const cluster = { api, namespace: 'shop', refusal: (_verb: string, _resource: Resource, error: unknown) => error };
  const shown: (readonly ProgramView[])[] = [];
  const stop = new AbortController();
  const followed = followPrograms(
    cluster as unknown as Cluster,
    undefined,
    { show: (programs) => shown.push(programs), lost: () => {} },
    { signal: stop.signal, random: () => 0 },
  );
  const settled = () => new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  await settled();
  secondPage.resolve();
  await settled();
  expect(shown).toEqual([]);
  runsListed.resolve();
  await settled();
  const names = shown.map((programs) => programs.map((one) => [one.program, one.pipelines[0]?.unfinished.length]));
  expect(names).toEqual([
    [
      ['a', 0],
      ['b', 1],
    ],
  ]);
  stop.abort(new Error('SIGINT'));
  await expect(followed).rejects.toThrow('SIGINT');
});
