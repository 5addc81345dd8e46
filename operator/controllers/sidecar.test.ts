import { afterEach, expect, test } from '@jest/globals';
import type { Ending, Script } from '../../test/support/fake-kubelet.ts';
import { type Fate, openWorld, type World } from '../../test/support/operator-world.ts';
import { program, programSpec, run } from '../../test/support/program.ts';
import { type KubeObject, RESOURCES } from '../kube/api.ts';
import type { RunObject } from '../kube/objects.ts';

/*
 * A cluster that puts another container into each pod, which does not end when the task does.
 */
const { retentionPrograms, retentionRuns, jobs, events } = RESOURCES;
const GOOD: Ending = {
  exitCode: 0,
  beside: 'istio-proxy',
  message: { rowsIn: 100, rowsOut: 10, counts: { candidates: 10 } },
};
const FAILED: Ending = {
  exitCode: 1,
  beside: 'istio-proxy',
  message: { error: { code: 'HF_WAREHOUSE_UNREADABLE', message: 'the warehouse is away' } },
};
const REFUSED: Ending = { ...FAILED, exitCode: 78 };

let world: World;
afterEach(() => world?.stop());

interface Options {
  readonly seconds?: number;
  readonly shards?: number;
  readonly fate?: Fate;
}

/** Lets a run by hand go on for so many seconds. */
async function play(
  script: Script,
  { seconds = 90, shards = 1, fate = () => 'live' }: Options = {},
): Promise<RunObject> {
  world = openWorld({ start: new Date('2026-11-20T12:00:00Z'), fate });
  world.kube.put(retentionPrograms, program({ execution: { ...programSpec().execution, shards } }));
  world.kube.put(retentionRuns, run());
  await world.settle(script, seconds * 1000);
  return world.kube.get<RunObject>(retentionRuns, 'shop/by-hand') as RunObject;
}

const said = () => world.kube.all<KubeObject & { reason: string; note: string }>(events);
const stuckAt =
  (task: string, ending: Ending): Script =>
  (job) =>
    job.metadata.labels?.['holdfast.dev/task'] === task ? ending : GOOD;

test('a run goes by its tasks, names what keeps their pods, and leaves none of them running', async () => {
  const { status } = await play(() => GOOD);
  expect(world.errors).toEqual([]);
  expect(status?.phase).toBe('Succeeded');
  const stages = status?.stages?.map(({ attempt, rowsOut, message }) => `${attempt} ${rowsOut} ${message}`) ?? [];
  expect(stages).toHaveLength(5);
  expect([...new Set(stages)]).toEqual([
    '1 10 the task ended with 0, but the container istio-proxy keeps its pod running',
  ]);
  expect(world.kube.all(jobs)).toEqual([]);
  const notes = said().filter(({ reason }) => reason === 'SidecarOutlivesTask');
  expect(notes).toHaveLength(6);
  expect(notes[1]?.note).toMatch(
    /^extract\/extract ended with 0, but the container istio-proxy keeps its pod running: the run goes on without it\. Make it a native sidecar .*"Sidecars"$/,
  );
});

test('it is said, and the run goes on, within a minute', async () => {
  const { status } = await play(() => GOOD, { seconds: 15 });
  expect(status?.stages?.[0]?.task).toBe('extract');
  expect(said().map(({ reason }) => reason)).toContain('SidecarOutlivesTask');
});

test('shards are done when each of them is', async () => {
  const { status } = await play(() => GOOD, { shards: 3, seconds: 120 });
  expect([status?.phase, world.kube.all(jobs)]).toEqual(['Succeeded', []]);
});

test('an error that trying again cannot mend ends the run at once, with its code', async () => {
  const { status } = await play(stuckAt('filter', REFUSED));
  expect(status?.phase).toBe('Failed');
  expect(status?.stages?.[1]).toMatchObject({
    phase: 'Failed',
    attempt: 1,
    errorCode: 'HF_WAREHOUSE_UNREADABLE',
    message: 'the warehouse is away',
  });
  expect(world.kube.all(jobs)).toEqual([]);
});

test('a task that fails is tried again as often as any other, and then ends the run', async () => {
  const { status } = await play(stuckAt('filter', FAILED));
  expect(status?.stages?.[1]).toMatchObject({ phase: 'Failed', attempt: 4, message: 'the warehouse is away' });
  expect(world.kube.all(jobs)).toEqual([]);
});

test('a task that fails once and then does not costs nothing but its time', async () => {
  let tries = 0;
  const { status } = await play((job) =>
    job.metadata.labels?.['holdfast.dev/task'] === 'filter' && (tries += 1) === 1 ? FAILED : GOOD,
  );
  expect(status).toMatchObject({ phase: 'Succeeded' });
  expect(status?.stages?.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 1, 1]);
  expect(world.kube.all(jobs)).toEqual([]);
});

test('an operator that is killed around any write of a task does none of them twice', async () => {
  for (const way of ['killed before', 'killed after'] as const) {
    // From the end of the first task to the beginning of the third.
    for (let victim = 4; victim <= 14; victim += 1) {
      const made: string[] = [];
      const { status } = await play(() => GOOD, { fate: (write, number) => (number === victim ? way : 'live') });
      for (const { attempt } of status?.stages ?? []) made.push(String(attempt));
      expect([way, victim, status?.phase, made.join(), world.kube.all(jobs).length]).toEqual([
        way,
        victim,
        'Succeeded',
        '1,1,1,1,1',
        0,
      ]);
      await world.stop();
    }
  }
});
