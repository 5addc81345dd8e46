import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { retentionProgramSpec } from '../../crds/retention-program.ts';
import { type ApiRequest, apiRequest } from '../cluster/api-request.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type KubernetesObject, refusals, renderChart } from '../support/chart.ts';
import { program, programSpec, run } from '../support/program.ts';
import { asking, EVERY_REFERENCE, REFERENCE_CASES, reading, running } from '../support/references.ts';
import { until } from '../support/until.ts';

/*
 * The chart's policy on a real API server, asked by people of whom one may read Secrets and another may not.
 */
const testOnServer = await testOnControlPlane(['helm']);

/** What each of them may do in the namespace beside writing programs and runs. */
const PEOPLE: Readonly<Record<string, readonly object[]>> = {
  owner: [
    { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
    { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  ],
  writer: [],
  reader: [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['holdfast-warehouse-crm'], verbs: ['get'] },
    { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: ['holdfast-tasks-shop'], verbs: ['use'] },
  ],
  // Not enough: neither lets them see what is in a Secret of that name.
  lister: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['another'], verbs: ['get', 'list'] }],
};

const PROGRAMS = '/apis/holdfast.dev/v1alpha1/namespaces/shop/retentionprograms';
const RUNS = '/apis/holdfast.dev/v1alpha1/namespaces/shop/retentionruns';
const WRITES_PROGRAMS = {
  apiGroups: ['holdfast.dev'],
  resources: ['retentionprograms', 'retentionruns'],
  verbs: ['get', 'create', 'update', 'patch', 'delete'],
};

let plane: ControlPlane;
let as: Record<string, ApiRequest>;
let chart: KubernetesObject[];

beforeAll(async () => {
  const { helm } = await findBinaries(['helm']);
  const accounts = Object.keys(PEOPLE).map((user) => ({ user, groups: [], token: randomBytes(24).toString('hex') }));
  plane = await startControlPlane({ controllerManager: false, accounts });
  const asUser = ({ user, token }: (typeof accounts)[number]) => [user, apiRequest({ ...plane, token })] as const;
  as = { admin: plane.request, ...Object.fromEntries(accounts.map(asUser)) };
  for (const name of ['holdfast-system', 'shop']) {
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name } });
  }
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';
  for (const [name, rules] of Object.entries(PEOPLE)) {
    const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }];
    const roleRef = { kind: 'Role', name, apiGroup: 'rbac.authorization.k8s.io' };
    await plane.request('POST', `${rbac}/roles`, { metadata: { name }, rules: [WRITES_PROGRAMS, ...rules] });
    await plane.request('POST', `${rbac}/rolebindings`, { metadata: { name }, subjects, roleRef });
  }
  const needed = /ValidatingAdmissionPolicy|ConfigMap/;
  chart = renderChart(helm, '--set', 'watchNamespaces={shop}').filter(({ kind }) => needed.test(kind));
  expect(await refusals(plane.request, chart, 'fieldValidation=Strict')).toEqual([]);
  await until(
    'the policy is in force',
    () => create('admin', reading('crm')),
    (said) => said !== undefined,
  );
}, 120_000);

afterAll(async () => {
  await plane?.stop();
}, 60_000);

type Change = Partial<RetentionProgramSpec>;

/** Why a program would not be taken; undefined when it would. */
async function create(user: string, change: Change): Promise<string | undefined> {
  return refusal(await as[user]!('POST', `${PROGRAMS}?dryRun=All&fieldValidation=Strict`, program(change)));
}

function refusal({ status, body }: Awaited<ReturnType<ApiRequest>>): string | undefined {
  if (status < 300) return undefined;
  expect([status, body.reason]).toEqual([403, 'Forbidden']);
  return body.message;
}

testOnServer.each(Object.entries(REFERENCE_CASES))(
  '%s: whoever may do everything is told the same as by the operator',
  async (_name, { change, refused }) => {
    const said = await create('admin', change);
    expect(said === undefined).toBe(refused === undefined);
    // It knows no positions.
    if (refused !== undefined) {
      const [field = '', object = ''] = refused.replaceAll(/\[\d+\]/g, '[]').split(': ');
      expect(said).toContain(field);
      expect(said?.includes(object) === true || said?.includes('of all programs') === true).toBe(true);
    }
  },
);

testOnServer('a program may name as much as it can: the policy has questions enough for it', async () => {
  expect(await create('owner', EVERY_REFERENCE)).toBeUndefined();
  expect(await create('writer', EVERY_REFERENCE)).toMatch(/writer may not get the Secret/);
});

testOnServer.each<[string, string, Change, RegExp | undefined]>([
  ['a program that names nothing', 'writer', {}, undefined],
  [
    'a Secret that they may not get',
    'writer',
    reading('holdfast-warehouse-crm'),
    /connectionSecretRef\.name: writer may not get the Secret holdfast-warehouse-crm/,
  ],
  ['a Secret that they may get', 'owner', reading('holdfast-warehouse-crm'), undefined],
  ['the one Secret that they may get', 'reader', reading('holdfast-warehouse-crm'), undefined],
  [
    'a second that they may not',
    'reader',
    reading('holdfast-warehouse-crm', 'holdfast-warehouse-erp'),
    /reader may not get the Secret holdfast-warehouse-erp/,
  ],
  ['with the right to another', 'lister', reading('holdfast-warehouse-crm'), /lister may not get/],
  [
    'a token that they may not get',
    'writer',
    asking('holdfast-token-risk'),
    /tokenSecretRef\.name: writer may not get/,
  ],
  [
    'a key that they may not get',
    'writer',
    { holdout: { share: 0.1, epoch: 1, keySecretRef: { name: 'holdfast-key-draw', key: 'key' } } },
    /keySecretRef\.name: writer may not get/,
  ],
  [
    'the database of all, by its name',
    'writer',
    { storage: { postgres: { secretRef: { name: 'holdfast-postgres', key: 'admin' } } } },
    /secretRef\.name: writer may not get the Secret holdfast-postgres/,
  ],
  ['a claim that programs may use', 'writer', { storage: { files: { claimName: 'holdfast-files' } } }, undefined],
  [
    'a claim of others',
    'owner',
    { storage: { files: { claimName: 'data-postgres-0' } } },
    /data-postgres-0 is not one/,
  ],
  [
    'a service account that they may not use',
    'writer',
    running('holdfast-tasks-shop'),
    /writer may neither use nor impersonate the ServiceAccount holdfast-tasks-shop/,
  ],
  ['one that they may use', 'reader', running('holdfast-tasks-shop'), undefined],
  ['one that they may impersonate', 'owner', running('holdfast-tasks-shop'), undefined],
  ['one that is for others', 'owner', running('deployer'), /the ServiceAccount deployer is not one/],
  ['the one that pods have anyhow', 'writer', running('default'), undefined],
])('%s: asked by the %s', async (_name, user, change, expected) => {
  const said = await create(user, change);
  if (expected === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(expected);
});

const WITH_BOTH: Change = { ...reading('holdfast-warehouse-crm'), ...asking('holdfast-token-risk') };
const [connector] = reading('holdfast-warehouse-crm').dataConnectors ?? [];
const [model] = asking('holdfast-token-risk').scoringModels ?? [];

/** Of a program that the owner wrote, with a warehouse and a token. */
testOnServer.each<[string, string, Change, RegExp | undefined]>([
  ['the Secret of a connection', 'writer', reading('holdfast-warehouse-erp'), /writer may not get/],
  ['the Secret of a connection, for one of others', 'owner', reading('erp'), /the Secret erp is not one/],
  [
    'what is asked of the same connection',
    'writer',
    { dataConnectors: [{ ...connector!, config: { ...connector!.config, query: 'SELECT * FROM salaries' } }] },
    /writer may not get the Secret holdfast-warehouse-crm/,
  ],
  [
    'the table that completes it',
    'writer',
    { featureStore: { type: 'warehouse', connectorId: 'crm-0', table: 'salaries' } },
    /writer may not get/,
  ],
  [
    'the table of past offers',
    'writer',
    { offerHistory: { connectorId: 'crm-0', table: 'salaries' } },
    /writer may not get/,
  ],
  [
    'where the same token is sent',
    'writer',
    { scoringModels: [{ ...model!, endpoint: 'https://elsewhere.example/v2/models/risk/versions/1' }] },
    /writer may not get the Secret/,
  ],
  [
    'where the result is kept',
    'writer',
    { storage: { artifacts: { claimName: 'holdfast-artifacts-2' } } },
    /writer may not get/,
  ],
  ['as whom its pods run', 'writer', running('holdfast-tasks-shop'), /writer may/],
  ['that it runs at all', 'writer', { enabled: false }, undefined],
  ['its levels of risk', 'writer', { riskLevels: { critical: 0.9, high: 0.7, medium: 0.5 } }, undefined],
  ['when it runs', 'writer', { batchSchedule: '0 3 * * *', timeZone: 'Europe/Berlin' }, undefined],
  ['how much its pods may use', 'writer', { execution: { ...programSpec().execution, shards: 2 } }, undefined],
  [
    'what is asked of the same connection',
    'owner',
    { dataConnectors: [{ ...connector!, config: { ...connector!.config, query: 'SELECT 1' } }] },
    undefined,
  ],
])('to change %s, asked by the %s', async (_name, user, change, expected) => {
  const name = `changed-${randomBytes(4).toString('hex')}`;
  const made = await as['owner']!('POST', PROGRAMS, program({ ...WITH_BOTH, programId: name }, name));
  expect(made.status).toBe(201);
  const wanted = { ...made.body, spec: { ...made.body.spec, ...change } };
  const replaced = refusal(await as[user]!('PUT', `${PROGRAMS}/${name}?dryRun=All`, wanted));
  const patch = JSON.stringify({ spec: change });
  const patched = refusal(
    await as[user]!('PATCH', `${PROGRAMS}/${name}?dryRun=All`, patch, 'application/merge-patch+json'),
  );
  for (const said of [replaced, patched]) {
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  }
});

/** Fields of a program that add nothing to what its pods get at. A new one is to be thought about. */
const HARMLESS = [
  'programId',
  'programName',
  'enabled',
  'marketplaces',
  'quality',
  'riskLevels',
  'subscriptionTiers',
  'filterChain',
  'channels',
  'offerStrategy',
  'batchSchedule',
  'schedules',
  'timeZone',
  'candidateTTLDays',
  'retention',
  'startingDeadlineSeconds',
  'concurrencyPolicy',
  'runHistory',
];

testOnServer('each field of a program is asked about when it changes, or known to add nothing', () => {
  const [condition] = chart.find(({ kind }) => kind === 'ValidatingAdmissionPolicy').spec.matchConditions;
  const asked = [...condition.expression.matchAll(/ object\.spec\.\?(\w+)/g)].map(([, field]) => field);
  expect(new Set([...asked, ...HARMLESS])).toEqual(new Set(Object.keys(retentionProgramSpec().properties)));
});

testOnServer(
  'a run names a program of its namespace, and another run of it, and nothing else, so whoever may make runs is not asked',
  async () => {
    const made = run('by-hand', { programRef: { name: 'changed' } });
    expect(refusal(await as['writer']!('POST', `${RUNS}?dryRun=All&fieldValidation=Strict`, made))).toBeUndefined();
    const elsewhere = { ...made, spec: { ...(made.spec as object), programRef: { name: 'x', namespace: 'other' } } };
    const { status } = await as['writer']!('POST', `${RUNS}?dryRun=All&fieldValidation=Strict`, elsewhere);
    expect(status).toBe(400);
  },
);

testOnServer('labels and a status can be written on a program whatever it names', async () => {
  const made = await as['owner']!('POST', PROGRAMS, program({ ...WITH_BOTH, programId: 'labelled' }, 'labelled'));
  expect(made.status).toBe(201);
  const patch = JSON.stringify({ metadata: { labels: { team: 'growth' } } });
  const labelled = await as['writer']!('PATCH', `${PROGRAMS}/labelled`, patch, 'application/merge-patch+json');
  expect(refusal(labelled)).toBeUndefined();
});

testOnServer('removed and installed anew with other lists, the policy holds programs to those', async () => {
  const ofPolicy = (objects: readonly KubernetesObject[]) =>
    objects.filter(({ kind }) => kind.startsWith('Validating'));
  const taken = (name: string) => plane.request('POST', `${PROGRAMS}?dryRun=All`, program(reading(name)));
  const paths = { ValidatingAdmissionPolicy: 'policies', ValidatingAdmissionPolicyBinding: 'policybindings' };
  for (const { kind, metadata } of ofPolicy(chart)) {
    const path = `validatingadmission${paths[kind as keyof typeof paths]}/${metadata.name}`;
    await plane.request('DELETE', `/apis/admissionregistration.k8s.io/v1/${path}`);
  }
  await until(
    'nobody asks about programs any more',
    () => taken('crm'),
    ({ status }) => status === 201,
  );
  const { helm } = await findBinaries(['helm']);
  const anew = ofPolicy(renderChart(helm, '--set', 'watchNamespaces={shop},allow.secrets.connections={crm}'));
  expect(await refusals(plane.request, anew, '')).toEqual([]);
  const refused = await until(
    'programs are asked about again',
    () => taken('holdfast-warehouse-crm'),
    ({ status }) => status > 299,
  );
  expect(refused.body.message).toContain('those are crm');
  expect((await taken('crm')).status).toBe(201);
});
