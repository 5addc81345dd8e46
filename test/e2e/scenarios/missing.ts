import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { execution, smallProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { conditionOf, openReadyTenant, type Tenant } from '../tenant.ts';

/** One of the namespaces that are watched. */
const NAMESPACE = 'broken';

export const missingSecret: Scenario = {
  name: 'without the secret of Postgres a run says so and waits, and goes on when it is there',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    const postgres = { secretRef: { name: 'holdfast-postgres-late', key: 'url' } };
    await tenant.apply(smallProgram('no-secret', { storage: { postgres } }));
    await tenant.makeRun('no-secret', 'no-secret');
    await assertWaits(tenant, 'no-secret', 'CreateContainerConfigError', /secret "holdfast-postgres-late" not found/);
    await tenant.giveSecret('holdfast-postgres-late');
    await assertSucceeds(tenant, 'no-secret');
  },
};

export const missingClaim: Scenario = {
  name: 'without the claim for artifacts a run says so and waits, and goes on when it is there',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    const artifacts = { claimName: 'holdfast-artifacts-late' };
    await tenant.apply(smallProgram('no-claim', { storage: { artifacts } }));
    await tenant.makeRun('no-claim', 'no-claim');
    await assertWaits(tenant, 'no-claim', 'Unschedulable', /persistentvolumeclaim "holdfast-artifacts-late" not found/);
    await tenant.giveClaim('holdfast-artifacts-late');
    await assertSucceeds(tenant, 'no-claim');
  },
};

export const missingServiceAccount: Scenario = {
  name: 'without the service account of its pods a run says so and waits, and goes on when it is there',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    const change = { execution: execution({ serviceAccountName: 'holdfast-tasks-late' }) };
    await tenant.apply(smallProgram('no-account', change));
    await tenant.makeRun('no-account', 'no-account');
    await assertWaits(tenant, 'no-account', 'NoPod', /serviceaccount "holdfast-tasks-late" not found/);
    await tenant.kubectl('create', 'serviceaccount', 'holdfast-tasks-late');
    await assertSucceeds(tenant, 'no-account');
  },
};

export const quota: Scenario = {
  name: 'where a quota lets no pod in a run says so and waits, and goes on when it is lifted',
  async run(world) {
    const tenant = await openReadyTenant(world, 'frugal');
    await tenant.kubectl('create', 'quota', 'none', '--hard=pods=0');
    await tenant.apply(smallProgram('frugal'));
    await tenant.makeRun('frugal', 'frugal');
    await assertWaits(tenant, 'frugal', 'NoPod', /exceeded quota: none/);
    await tenant.kubectl('delete', 'quota', 'none');
    await assertSucceeds(tenant, 'frugal');
  },
};

export const missingProgram: Scenario = {
  name: 'a run of a program that is not there waits for it, and a bad program that is then corrected recovers',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    await tenant.makeRun('early', 'late-program');
    await tenant.waits('early', 'ProgramMissing');
    await tenant.apply(smallProgram('late-program', { timeZone: 'Mars/Olympus_Mons' }));
    const refused = await until(
      'the program is refused',
      () => tenant.program('late-program'),
      (seen) => conditionOf(seen, 'Ready')?.status === 'False',
    );
    assert.equal(conditionOf(refused, 'Ready')?.reason, 'SpecInvalid');
    assert.match(conditionOf(refused, 'Ready')?.message ?? '', /timeZone.*Mars\/Olympus_Mons/);
    assert.equal(conditionOf(refused, 'Stalled')?.status, 'True');
    await tenant.waits('early', 'SpecInvalid');
    await tenant.apply(smallProgram('late-program'));
    const accepted = await until(
      'the program is ready',
      () => tenant.program('late-program'),
      (seen) => conditionOf(seen, 'Ready')?.status === 'True',
    );
    assert.equal(conditionOf(accepted, 'Stalled')?.status, 'False');
    await assertSucceeds(tenant, 'early');
  },
};

export const missingFiles: Scenario = {
  name: 'a warehouse that is not there is tried again and then fails the run; a model that is not there, or a way out of the files, at once, each with its code',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    const [connector] = smallProgram('x').spec.dataConnectors;
    const { query } = connector.config;
    await tenant.apply(
      smallProgram('no-warehouse', {
        dataConnectors: [{ ...connector, config: { path: 'nowhere.duckdb', query } }],
        execution: execution({ retries: 1 }),
      }),
      smallProgram('no-model', {
        scoringModels: smallProgram('x').spec.scoringModels.map((model: object) => ({
          ...model,
          endpoint: 'onnx://models/nowhere.onnx',
        })),
      }),
    );
    // What the others of the namespace have left lies beside, in the same pod.
    const artifacts = '/var/holdfast/artifacts/**/*.parquet';
    await tenant.apply(
      smallProgram('curious', {
        dataConnectors: [{ ...connector, config: { path: artifacts, table: 'customer_analytics', query } }],
      }),
    );
    await tenant.makeRun('curious', 'curious');
    await tenant.makeRun('no-warehouse', 'no-warehouse');
    await tenant.makeRun('no-model', 'no-model');
    await assertFails(tenant, 'no-warehouse', 'extract', 'HF_WAREHOUSE_UNREADABLE', /nowhere\.duckdb/, 1);
    await assertFails(tenant, 'no-model', 'score', 'HF_MODEL_MISSING', /nowhere\.onnx/, 1);
    await assertFails(tenant, 'curious', 'extract', 'HF_PATH_REFUSED', /leads out of the folder/, 1);
  },
};

async function assertWaits(tenant: Tenant, run: string, reason: string, message: RegExp): Promise<void> {
  const waiting = await tenant.waits(run, reason);
  assert.match(conditionOf(waiting, 'Reconciling')?.message ?? '', message);
  assert.equal(waiting.status?.phase, 'Running');
  const described = await until(
    'an event says so, too',
    () => tenant.kubectl('describe', `rr/${run}`),
    (text) => text.includes('TaskStuck'),
  );
  assert.match(described, message);
}

async function assertSucceeds(tenant: Tenant, run: string): Promise<void> {
  const { status } = await tenant.ended(run);
  assert.equal(status?.phase, 'Succeeded', JSON.stringify(status?.conditions));
}

async function assertFails(
  tenant: Tenant,
  name: string,
  stage: string,
  code: string,
  message: RegExp,
  tries: number,
): Promise<void> {
  const run = await tenant.ended(name);
  assert.equal(run.status?.phase, 'Failed');
  const failed = run.status?.stages?.find(({ phase }) => phase === 'Failed');
  assert.deepEqual({ name: failed?.name, code: failed?.errorCode }, { name: stage, code });
  assert.match(failed?.message ?? '', message);
  assert.match(conditionOf(run, 'Failed')?.message ?? '', message);
  const pods = (await tenant.pods(name)).filter(({ metadata }) => metadata.labels?.['holdfast.dev/task'] === stage);
  assert.equal(pods.length, tries, `pods of ${name}`);
  const described = await tenant.kubectl('describe', `rr/${name}`);
  assert.match(described, new RegExp(`RunFailed.*${code}`));
}
