import { afterEach, expect, test } from '@jest/globals';
import { openWorld, type World } from '../../test/support/operator-world.ts';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { program, run } from '../../test/support/program.ts';
import { RESOURCES } from '../kube/api.ts';
import type { RunObject } from '../kube/objects.ts';

/*
 * The operator over another table of pipelines than its own.
 */
const { retentionPrograms, retentionRuns, jobs } = RESOURCES;

let world: World;

afterEach(() => world?.stop());

test('a pipeline of another table is taken through its tasks, beside the runs of another lane', async () => {
  world = openWorld({ start: new Date('2026-11-20T12:00:00Z'), pipelines: WITH_CAMPAIGN });
  world.kube.put(retentionPrograms, program());
  for (const [name, pipeline] of [
    ['batch', 'batch'],
    ['first', 'campaign'],
    ['second', 'campaign'],
  ] as const) {
    world.kube.put(retentionRuns, run(name, { pipeline: pipeline as never }));
    await world.clock.advance(1_000);
  }
  await world.settle(() => undefined);
  const phases = () => world.kube.all<RunObject>(retentionRuns).map(({ status }) => status?.phase);
  expect(phases()).toEqual(['Running', 'Running', 'Pending']);
  await world.settle((job) => (job.metadata.name.startsWith('batch-') ? undefined : { exitCode: 0 }));
  expect(phases()).toEqual(['Running', 'Succeeded', 'Succeeded']);
  const made = world.kube.all(jobs).map(({ metadata }) => metadata.name);
  expect(made.filter((name) => name.startsWith('first-'))).toEqual([
    'first-plan-migrate-1',
    'first-plan-1',
    'first-deliver-check-1',
    'first-deliver-1',
  ]);
  expect(world.errors).toEqual([]);
});
