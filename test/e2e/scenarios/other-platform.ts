import assert from 'node:assert/strict';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { execution, smallProgram, TASKS } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { conditionOf, openReadyTenant, type Tenant } from '../tenant.ts';
import { install, SYSTEM, type World } from '../world.ts';

/** Release of an operator that is gone at the end. */
export const FOREIGN = 'holdfast-foreign';

const NAMESPACE = 'meshed';

/** As OpenShift gives them to a namespace. */
const USER = 1_000_680_000;

export const otherPlatform: Scenario = {
  name: 'as users of a range that the platform chooses, under a quota on limits.cpu, beside sidecars that end and that do not, a run goes by its tasks',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    await chown(join(world.cluster.folder, 'volumes', NAMESPACE, 'holdfast-artifacts'), USER, 0);
    await tenant.kubectl('create', 'quota', 'processors', '--hard=limits.cpu=8');
    await tenant.kubectl('create', 'configmap', 'authorities', `--from-file=ca.crt=${world.cluster.plane.caFile}`);
    await world.apply(NAMESPACE, ...mesh(world));
    await install(world, FOREIGN, {
      watchNamespaces: [NAMESPACE],
      replicas: 1,
      crds: { install: false },
      securityContext: { runAsUser: USER, runAsGroup: 0, fsGroup: USER },
      caBundle: { configMap: 'authorities' },
      tasks: { labels: { mesh: 'on' }, annotations: { cost: '1000000' }, env: { GREETING: true }, limits: { cpu: 1 } },
    });
    await meshIsOn(world, tenant);
    for (const name of ['held', 'native']) {
      await tenant.apply(smallProgram(name, { execution: execution({ cpu: 0 }) }));
      await tenant.makeRun(name, name);
    }
    await assertHeld(world, tenant);
    await assertNative(tenant);
    await world.cluster.helm('uninstall', FOREIGN, '--namespace', SYSTEM, '--wait');
  },
};

/** A container that nobody tells that the task has ended, and one that Kubernetes does. */
async function assertHeld(world: World, tenant: Tenant): Promise<void> {
  const began = performance.now();
  const stuck = await until(
    'what keeps the pod is named',
    () => tenant.kubectl('describe', 'rr/held'),
    (text) => text.includes('SidecarOutlivesTask'),
    120_000,
  );
  assert.match(stuck, /extract\/migrate ended with 0, but the container proxy keeps its pod running: the run goes on/);
  const run = await tenant.ended('held');
  world.show(`a run beside a sidecar took ${((performance.now() - began) / 1000).toFixed(1)} s`);
  assert.equal(run.status?.phase, 'Succeeded', JSON.stringify(run.status?.conditions));
  assert.deepEqual(
    run.status?.stages?.map(({ attempt }) => attempt),
    [1, 1, 1, 1, 1],
  );
  assert.match(run.status?.stages?.[4]?.message ?? '', /the container proxy keeps its pod running/);
  await until(
    'none of its pods is left',
    () => tenant.pods('held'),
    (pods) => pods.length === 0,
  );
}

async function assertNative(tenant: Tenant): Promise<void> {
  const run = await tenant.ended('native');
  assert.equal(run.status?.phase, 'Succeeded', JSON.stringify(run.status?.conditions));
  assert.equal(conditionOf(run, 'Complete')?.status, 'True');
  assert.doesNotMatch(await tenant.kubectl('describe', 'rr/native'), /SidecarOutlivesTask/);
  const pods: any[] = [...(await tenant.pods('native'))];
  assert.equal(pods.length, TASKS.length);
  for (const { metadata, spec } of pods) {
    assert.deepEqual([metadata.labels.mesh, metadata.annotations.cost], ['on', '1000000']);
    assert.deepEqual([spec.securityContext.runAsUser, spec.securityContext.runAsGroup], [USER, 0]);
    const [task] = spec.containers;
    assert.deepEqual([task.resources.limits.cpu, spec.initContainers[0].name], ['1', 'proxy']);
    assert.ok(task.env.some(({ name, value }: any) => name === 'GREETING' && value === 'true'));
  }
}

/** What a mesh does by a webhook. */
function mesh({ image }: World): readonly object[] {
  const container = (of: string, more = '') => `${of}{
    name: 'proxy', image: '${image.reference}', imagePullPolicy: 'IfNotPresent', ${more}
    args: ['-e', 'process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000)'],
    resources: ${of}.resources{limits: {'cpu': '100m', 'memory': '128Mi'}},
    securityContext: ${of}.securityContext{
      allowPrivilegeEscalation: false, capabilities: ${of}.securityContext.capabilities{drop: ['ALL']}}}`;
  const beside = container('Object.spec.containers');
  const native = container('Object.spec.initContainers', "restartPolicy: 'Always',");
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'mesh' },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          objectSelector: { matchLabels: { mesh: 'on' } },
        },
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: {
              expression: `object.metadata.labels['holdfast.dev/program'] == 'native'
                ? [JSONPatch{op: 'add', path: '/spec/initContainers', value: []},
                   JSONPatch{op: 'add', path: '/spec/initContainers/-', value: ${native}}]
                : [JSONPatch{op: 'add', path: '/spec/containers/-', value: ${beside}}]`,
            },
          },
        ],
      },
    },
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'mesh' },
      spec: {
        policyName: 'mesh',
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } } },
      },
    },
  ];
}

/** A policy takes effect some time after it is made. */
async function meshIsOn({ cluster }: World, tenant: Tenant): Promise<void> {
  const security = {
    runAsNonRoot: true,
    runAsUser: USER,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const contained = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const limits = { cpu: '10m' };
  const spec = {
    securityContext: security,
    containers: [{ name: 'task', image: 'none', securityContext: contained, resources: { limits } }],
  };
  const labels = { mesh: 'on', 'holdfast.dev/program': 'none' };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'asks', labels }, spec };
  await until(
    'the mesh is on',
    () => cluster.plane.request('POST', `/api/v1/namespaces/${tenant.namespace}/pods?dryRun=All`, pod),
    ({ body }) => body.spec?.containers?.length === 2,
  );
}
