import { afterAll, beforeAll, expect } from '@jest/globals';
import type { RunObject } from '../../operator/kube/objects.ts';
import { buildJob } from '../../operator/objects/job.ts';
import { buildRevision, pinnedRevision } from '../../operator/objects/revision.ts';
import { type Storage, storageOf } from '../../operator/objects/storage.ts';
import { readSettings, type Settings } from '../../operator/settings/settings.ts';
import { PLAIN_TASK_PODS } from '../../operator/settings/task-pods.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type KubernetesObject, refusals, renderChart } from '../support/chart.ts';
import { KEEP, run, STAGE_SETTINGS, storedProgram } from '../support/program.ts';

/*
 * The chart, as helm renders it, given to a real API server, and what the operator may then do there.
 */
const OPERATOR = 'system:serviceaccount:holdfast-system:holdfast';

const testOnServer = await testOnControlPlane(['helm']);
let plane: ControlPlane;
let helm: string;

beforeAll(async () => {
  ({ helm } = await findBinaries(['helm']));
  plane = await startControlPlane({ controllerManager: false });
  for (const name of ['holdfast-system', 'watched', 'other']) {
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name } });
  }
}, 120_000);

afterAll(async () => {
  await plane?.stop();
}, 60_000);

const render = (...settings: readonly string[]) => renderChart(helm, ...settings.flatMap((one) => ['--set', one]));

/** What the operator makes of its Deployment and its ConfigMap. */
function settingsOf(objects: readonly KubernetesObject[]): Settings {
  const { env } = objects.find(({ kind }) => kind === 'Deployment').spec.template.spec.containers[0];
  const { data } = objects.find(({ kind }) => kind === 'ConfigMap');
  const entries = env.map(({ name, value, valueFrom }: KubernetesObject) => [
    name,
    value ?? data[valueFrom.configMapKeyRef?.key ?? ''],
  ]);
  return readSettings(Object.fromEntries(entries));
}

async function may(verb: string, resource: string, namespace: string, name?: string): Promise<boolean> {
  const [group, path] = resource.includes('/') ? (resource.split('/', 2) as [string, string]) : ['', resource];
  const [plural, subresource] = path.split(':');
  const { body } = await plane.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: OPERATOR, resourceAttributes: { verb, group, resource: plural, subresource, namespace, name } },
  });
  return body.status.allowed;
}

/** Names and keys that are no texts without quotes. */
const TEXTS = [
  'postgres.secretName=2026,postgres.secretKey=1e3,artifacts.claimName=on',
  'serve.tokens.secretName=12,serve.tokens.secretKey=no,caBundle.configMap=7,caBundle.key=1.10',
  'image.pullSecrets={1},serve.pullSecrets={2},priorityClassName=3,serve.priorityClassName=4',
  'serviceAccount.name=5,allow.serviceAccounts={6},serve.service.annotations.a=8,podLabels.off=yes',
];

testOnServer.each([
  ['as it comes', []],
  ['with namespaces to watch', ['watchNamespaces={watched,other}']],
  ['with no namespace', ['watchNamespaces={}']],
  ['with network policies', ['networkPolicy.enabled=true', 'watchNamespaces={watched,other}']],
  [
    'with network policies of its own',
    [
      'networkPolicy.enabled=true',
      'watchNamespaces={watched}',
      'networkPolicy.operator.apiServer.cidrs={10.0.0.1/32,fd00::1/128}',
      'networkPolicy.operator.metricsFrom[0].podSelector.matchLabels.app=prometheus',
      'networkPolicy.tasks.egress[0].to[0].ipBlock.cidr=10.1.0.0/16',
    ],
  ],
  ['with all namespaces', ['watchNamespaces={*}']],
  ['with a policy for its own namespaces', ['watchNamespaces={watched}', 'admission.scope=watched']],
  ['with a policy for namespaces that are yet to be told', ['admission.scope=watched']],
  ['without a policy', ['admission.enabled=false']],
  [
    'with nothing that programs may name',
    ['allow.secrets.tokens={}', 'allow.claims.files={}', 'allow.serviceAccounts={}'],
  ],
  ['by digest', [`image.digest=sha256:${'0a'.repeat(32)}`]],
  [
    'with numbers and truths where Kubernetes has texts',
    [
      'podAnnotations.prometheus\\.io/port=8080',
      'podAnnotations.prometheus\\.io/scrape=true',
      'podLabels.cost-centre=1000000',
      'nodeSelector.disk=true',
      'serviceAccount.annotations.account=123456789012',
      'resources.requests.cpu=1',
    ],
  ],
  [
    'with everything that may be said of the pods of programs',
    [
      'watchNamespaces={watched}',
      'serve.enabled=true',
      'caBundle.configMap=authorities',
      'securityContext.runAsUser=1000680000',
      'securityContext.runAsGroup=0',
      'securityContext.fsGroup=null',
      'tasks.labels.sidecar\\.istio\\.io/inject=false',
      'tasks.annotations.linkerd\\.io/inject=disabled',
      'tasks.nodeSelector.pool=1',
      'tasks.tolerations[0].key=batch',
      'tasks.tolerations[0].operator=Exists',
      'tasks.priorityClassName=low',
      'tasks.pullSecrets={registry}',
      'tasks.env.NODE_USE_ENV_PROXY=1',
      'tasks.limits.cpu=2',
    ],
  ],
  ['with user and groups left to the platform', ['securityContext=null']],
  ['without roles for people', ['aggregateRoles=false']],
  ['with one replica and a secret to pull with', ['replicas=1', 'image.pullSecrets={registry}']],
  [
    'with names and keys that YAML takes for numbers or truths',
    [
      'watchNamespaces={watched}',
      'serve.enabled=true,serve.serviceMonitor.enabled=false',
      'topologySpreadConstraints[0].maxSkew=1,topologySpreadConstraints[0].topologyKey=zone',
      'topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway',
    ],
    TEXTS,
  ],
  ['without a Service for metrics', ['metrics.service.enabled=false']],
  ['with the API', ['watchNamespaces={watched,other}', 'serve.enabled=true']],
  [
    'with one replica of the API in one of the namespaces, and network policies',
    [
      'watchNamespaces={watched,other}',
      'networkPolicy.enabled=true',
      'serve.enabled=true',
      'serve.namespaces={other}',
      'serve.replicas=1',
      'serve.service.type=LoadBalancer',
      'serve.pullSecrets={registry}',
      'serve.nodeSelector.gpu=false',
    ],
  ],
  ['without CRDs and service account', ['crds.install=false', 'serviceAccount.create=false']],
] as readonly (readonly [string, readonly string[], (readonly string[])?])[])(
  '%s, the chart is taken by the API server to the last field',
  async (_, settings, texts = []) => {
    const options = [...settings.flatMap((one) => ['--set', one]), ...texts.flatMap((one) => ['--set-string', one])];
    expect(await refusals(plane.request, renderChart(helm, ...options), 'dryRun=All&fieldValidation=Strict')).toEqual(
      [],
    );
  },
);

testOnServer('the operator is told of the pods of programs, and the users of all pods are those of the values', () => {
  const users = (...settings: string[]) =>
    render('watchNamespaces={watched}', 'serve.enabled=true', ...settings)
      .filter(({ kind }) => kind === 'Deployment')
      .map(({ spec }) => spec.template.spec.securityContext);
  const platform = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
  const image = { ...platform, runAsUser: 65_532, runAsGroup: 65_532, fsGroup: 65_532 };
  expect(users()).toEqual([image, image]);
  expect(users('securityContext=null')).toEqual([platform, platform]);
  expect(settingsOf(render()).taskPods).toEqual({
    ...PLAIN_TASK_PODS,
    limits: { cpu: '' },
    caBundle: { configMap: '', key: 'ca.crt' },
  });
  expect(settingsOf(render('securityContext=null', 'tasks.labels.cost=1000000')).taskPods).toMatchObject({
    securityContext: {},
    labels: { cost: '1000000' },
  });
  const left = settingsOf(render('securityContext.fsGroup=null', 'securityContext.runAsUser=1000680000'));
  expect(left.taskPods.securityContext).toEqual({ runAsUser: 1_000_680_000, runAsGroup: 65_532 });
});

testOnServer('the operator is told how many runs may be at work, and over how long they begin', () => {
  expect(settingsOf(render())).toMatchObject({ maxRuns: 10, startJitterSeconds: 10 });
  const told = settingsOf(render('runs.maxConcurrent=40', 'runs.startJitterSeconds=0'));
  expect(told).toMatchObject({ maxRuns: 40, startJitterSeconds: 0 });
});

testOnServer('the API believes the authorities of the ConfigMap', () => {
  const objects = render('watchNamespaces={watched}', 'serve.enabled=true', 'caBundle.configMap=authorities');
  const { spec } = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'holdfast-api').spec
    .template;
  expect(spec.volumes).toContainEqual({
    name: 'ca',
    configMap: { name: 'authorities', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
  });
  const { mountPath } = spec.containers[0].volumeMounts.find(({ name }: KubernetesObject) => name === 'ca');
  expect(spec.containers[0].env).toContainEqual({ name: 'NODE_EXTRA_CA_CERTS', value: `${mountPath}/ca.crt` });
});

testOnServer('a number in a label or an annotation is written as it was given', () => {
  const objects = render('podLabels.cost=1000000', 'podAnnotations.port=8080', 'podAnnotations.on=true');
  const { labels, annotations } = objects.find(({ kind }) => kind === 'Deployment').spec.template.metadata;
  expect(labels).toMatchObject({ cost: '1000000' });
  expect(annotations).toMatchObject({ port: '8080', on: 'true' });
});

testOnServer.each([
  ['a misspelt value', 'imagee.tag=1'],
  ['a digest that is none', 'image.digest=sha256:abc'],
  ['text for a number', 'replicas=two'],
  ['a namespace that cannot be', 'watchNamespaces={Tenant_A}'],
  ['all namespaces and one besides', 'watchNamespaces={*,shop}'],
  ['a name that cannot be', 'allow.secrets.tokens={Token}'],
  ['an address that cannot be', 'networkPolicy.operator.apiServer.cidrs={kubernetes.default}'],
  ['an API server that is nowhere', 'networkPolicy.operator.apiServer.ports={}'],
  ['a rule for the network that lets all through', 'networkPolicy.tasks.egress[0]={}'],
  ['a misspelt value of the API', 'serve.replica=2'],
  ['a kind of Service that is none', 'serve.service.type=Clusterip'],
  ['an interval without a unit', 'metrics.serviceMonitor.interval=30'],
  ['a label that Holdfast gives', 'tasks.labels.holdfast\\.dev/run=x'],
  ['an annotation that Holdfast gives', 'tasks.annotations.holdfast\\.dev/suspended=true'],
  ['a label by which its pods are found', 'tasks.labels.app\\.kubernetes\\.io/managed-by=x'],
  ['the database as a variable', 'tasks.env.DATABASE_URL=x'],
  ['a variable of Holdfast', 'tasks.env.HOLDFAST_RUN=x'],
  ['a variable out of a Secret', 'tasks.env.TOKEN.valueFrom.secretKeyRef.name=x'],
  ['a pod that is root', 'securityContext.runAsUser=0'],
  ['a limit in words', 'tasks.limits.cpu=two'],
  ['room for no run', 'runs.maxConcurrent=0'],
  ['a spread in words', 'runs.startJitterSeconds=some'],
  ['a star that is not at the end', 'allow.serviceAccounts={*-tasks}'],
])('%s is refused', (_, setting) => {
  expect(() => render(setting)).toThrow('values don');
});

testOnServer('no rule has a wildcard, and none is about secrets', () => {
  for (const object of [...render('watchNamespaces={*}'), ...render('watchNamespaces={watched}')]) {
    for (const rule of object.rules ?? []) {
      const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs];
      expect(words.filter((word: string) => word.includes('*') || word.startsWith('secrets'))).toEqual([]);
    }
  }
});

testOnServer('until it is told which namespaces to watch, the chart gives the operator rights in none', async () => {
  const objects = render();
  const roles = objects.filter(
    ({ kind, metadata }) => kind.endsWith('Role') && !/:(view|edit|run)$/.test(metadata.name),
  );
  expect(roles.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
    'Role holdfast-system/holdfast-leader',
  ]);
  expect(settingsOf(objects).watchNamespaces).toEqual([]);
  expect(settingsOf(render('watchNamespaces={}')).watchNamespaces).toEqual([]);
  expect(settingsOf(render('watchNamespaces={watched,other}')).watchNamespaces).toEqual(['watched', 'other']);
  expect(settingsOf(render('watchNamespaces={*}')).watchNamespaces).toEqual(['*']);
});

testOnServer('there are network policies only once they are turned on', () => {
  const policies = (...settings: string[]) => render(...settings).filter(({ kind }) => kind === 'NetworkPolicy');
  expect(policies('watchNamespaces={watched}')).toEqual([]);
  const places = policies('watchNamespaces={watched,other}', 'networkPolicy.enabled=true').map(
    ({ metadata }) => metadata.namespace,
  );
  expect(places).toEqual(['holdfast-system', 'watched', 'other']);
  expect(policies('watchNamespaces={*}', 'networkPolicy.enabled=true')).toHaveLength(1);
});

testOnServer('a network policy is about the pods that are made, and lets nobody in and little out', () => {
  const objects = render('watchNamespaces={watched}', 'networkPolicy.enabled=true');
  const [ofOperator, ofTasks] = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  const operator = objects.find(({ kind }) => kind === 'Deployment').spec.template.metadata.labels;
  const task = taskLabels();
  const isAbout = ({ spec }: KubernetesObject, labels: Record<string, string>) =>
    Object.entries(spec.podSelector.matchLabels).every(([name, value]) => labels[name] === value);
  expect([isAbout(ofOperator, operator), isAbout(ofOperator, task)]).toEqual([true, false]);
  expect([isAbout(ofTasks, operator), isAbout(ofTasks, task)]).toEqual([false, true]);
  for (const { spec } of [ofOperator, ofTasks]) {
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(spec.ingress).toBeUndefined();
    // A rule without ports would let everything through.
    for (const { ports } of spec.egress) expect(ports.length).toBeGreaterThan(0);
  }
  const portsOf = ({ spec }: KubernetesObject) =>
    spec.egress.flatMap(({ ports }: KubernetesObject) => ports.map(({ port }: KubernetesObject) => port));
  expect(portsOf(ofOperator)).toEqual([53, 53, 443, 6443]);
  expect(portsOf(ofTasks)).toEqual([53, 53, 5432]);
});

/** Of the pods that the operator makes. */
function taskLabels(): Record<string, string> {
  const pinned = pinnedRevision(buildRevision(KEEP, storedProgram(), STAGE_SETTINGS), KEEP)!;
  const metadata = { ...run().metadata, uid: 'uid', resourceVersion: '1', creationTimestamp: '' };
  const task = { pipeline: 'batch', stage: 'extract', task: 'extract', attempt: 1, secrets: [] };
  const storage = storageOf(pinned.spec, STAGE_SETTINGS) as Storage;
  const job: KubernetesObject = buildJob(
    { ...run(), metadata } as RunObject,
    new Date(0),
    pinned,
    task,
    storage,
    STAGE_SETTINGS,
  );
  return job.spec.template.metadata.labels;
}

testOnServer('the operator is told what programs may name, and starts anew when that changes', () => {
  const { allowed } = settingsOf(render());
  expect(allowed).toMatchObject({
    database: ['holdfast-postgres', 'holdfast-postgres-*'],
    connections: ['holdfast-warehouse-*'],
    configMaps: ['holdfast-files*'],
    serviceAccounts: ['default', 'holdfast-tasks*'],
  });
  expect(settingsOf(render('allow.secrets.connections={}')).allowed.connections).toEqual([]);
  expect(settingsOf(render('allow.secrets.tokens={one,two-*}')).allowed.tokens).toEqual(['one', 'two-*']);
  const digest = (...settings: string[]) =>
    render(...settings).find(({ kind }) => kind === 'Deployment').spec.template.metadata.annotations[
      'holdfast.dev/allowed'
    ];
  expect(digest()).toBe(digest('replicas=3'));
  expect(digest()).not.toBe(digest('allow.secrets.tokens={one}'));
});

testOnServer('the operator may do what it does, in the namespaces that it watches and in no other', async () => {
  expect(await refusals(plane.request, render('watchNamespaces={watched}'), 'fieldValidation=Strict')).toEqual([]);
  const needed = [
    ['list', 'holdfast.dev/retentionprograms'],
    ['watch', 'holdfast.dev/retentionruns'],
    ['create', 'holdfast.dev/retentionruns'],
    ['patch', 'holdfast.dev/retentionprograms:status'],
    ['patch', 'holdfast.dev/retentionruns:status'],
    ['update', 'holdfast.dev/retentionruns:finalizers'],
    ['create', 'batch/jobs'],
    ['patch', 'batch/jobs'],
    ['delete', 'batch/jobs'],
    ['watch', 'pods'],
    ['create', 'configmaps'],
    ['create', 'events.k8s.io/events'],
    ['list', 'events.k8s.io/events'],
    ['patch', 'events.k8s.io/events'],
  ] as const;
  for (const [verb, resource] of needed) {
    expect([verb, resource, await may(verb, resource, 'watched')]).toEqual([verb, resource, true]);
    expect([verb, resource, await may(verb, resource, 'other')]).toEqual([verb, resource, false]);
  }
  for (const verb of ['get', 'list', 'watch']) expect(await may(verb, 'secrets', 'watched')).toBe(false);
  expect(await may('patch', 'holdfast.dev/retentionruns', 'watched')).toBe(false);
  expect(await may('create', 'pods', 'watched')).toBe(false);
  expect(await may('update', 'coordination.k8s.io/leases', 'holdfast-system', 'holdfast')).toBe(true);
  expect(await may('update', 'coordination.k8s.io/leases', 'holdfast-system', 'of-others')).toBe(false);
  expect(await may('get', 'apps/deployments', 'holdfast-system', 'holdfast')).toBe(true);
  expect(await may('get', 'apps/deployments', 'holdfast-system', 'of-others')).toBe(false);
});
