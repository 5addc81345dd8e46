import assert from 'node:assert/strict';
import type { RunObject } from '../../operator/kube/objects.ts';
import type { Gates } from './gate.ts';
import { execution, smallProgram, TASKS } from './program.ts';
import { openReadyTenant, type Tenant } from './tenant.ts';
import type { World } from './world.ts';

/** One run, with the same name and slot each time, so that whatever happens to it must come to the same. */
const RUN = 'twin';

interface Calm {
  readonly tenant: Tenant;
  readonly result: object;
}

const calms = new WeakMap<World, Promise<Calm>>();

/**
 * Does the run while `disturb` does what it does to it, and holds the result against that of a run that nobody disturbed.
 * @param change to the program's `execution`, which is to make no difference
 * @returns the run, and its tenant for further questions
 */
export async function weather(
  world: World,
  disturb: (gates: Gates, tenant: Tenant, run: string) => Promise<void>,
  change: object = {},
): Promise<{ readonly run: RunObject; readonly tenant: Tenant }> {
  let calm = calms.get(world);
  if (calm === undefined) {
    calm = goCalmly(world);
    calms.set(world, calm);
  }
  const { tenant, result } = await calm;
  await tenant.apply(smallProgram('storm', { execution: execution(change) }));
  const run = await go(tenant, disturb);
  assert.equal(run.status?.phase, 'Succeeded');
  assert.deepEqual(await resultOf(tenant), result);
  return { run, tenant };
}

async function goCalmly(world: World): Promise<Calm> {
  const tenant = await openReadyTenant(world, 'storm');
  await tenant.apply(smallProgram('storm'));
  const run = await go(tenant, () => Promise.resolve());
  assert.equal(run.status?.phase, 'Succeeded');
  const result = await resultOf(tenant);
  assert.ok(result.candidates.length > 0 && result.decisions.length > 0, 'there is something to compare');
  return { tenant, result };
}

async function go(
  tenant: Tenant,
  disturb: (gates: Gates, tenant: Tenant, run: string) => Promise<void>,
): Promise<RunObject> {
  await tenant.kubectl('delete', 'rr', RUN, '--ignore-not-found', '--cascade=foreground');
  await using gates = await tenant.startAnew();
  await tenant.makeRun(RUN, 'storm');
  await disturb(gates, tenant, RUN);
  return await tenant.ended(RUN);
}

/** All that a run leaves, but for times. */
async function resultOf(tenant: Tenant) {
  const rows = (table: string, ...but: string[]) =>
    tenant.query<{ row: Record<string, unknown> }>(
      `SELECT to_jsonb(${table}) - $1::text[] AS row FROM holdfast.${table} ORDER BY customer_id`,
      [but],
    );
  const [run] = await tenant.query<{ stages: readonly { name: string; artifact?: string }[] }>(
    'SELECT stages, attempt, phase FROM holdfast.runs',
  );
  return {
    candidates: await rows('candidates', 'created_at', 'expires_at'),
    decisions: await rows('decisions', 'decided_at'),
    run: { ...run, stages: run?.stages.map((stage) => ({ ...stage, seconds: 0 })) },
  };
}

/** One Job for each task, and that the first attempt. */
export async function assertOneJobPerTask(
  tenant: Tenant,
  run: string,
  expected: readonly string[] = TASKS,
): Promise<void> {
  const jobs = await tenant.jobs(run);
  const label = (name: string) => jobs.map(({ metadata }) => metadata.labels?.[`holdfast.dev/${name}`] ?? '');
  const tasks = label('stage').map((stage, index) => `${stage}/${label('task')[index]}`);
  assert.deepEqual(tasks.toSorted(), expected.toSorted());
  assert.deepEqual(
    label('attempt'),
    expected.map(() => '1'),
  );
}
