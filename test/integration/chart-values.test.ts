import { beforeAll, expect } from '@jest/globals';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type KubernetesObject, renderChart, renderRelease } from '../support/chart.ts';

/*
 * What the chart makes of its values: the image, texts, the API and what Prometheus reads.
 */
const testWithHelm = await testOnControlPlane(['helm']);
let helm: string;

beforeAll(async () => {
  ({ helm } = await findBinaries(['helm']));
}, 120_000);

const render = (...settings: readonly string[]) => renderChart(helm, ...settings.flatMap((one) => ['--set', one]));

testWithHelm.each([
  ['no image', '', 'image.repository is not set, and no public registry has this image. `make image` builds it'],
  ['the placeholder', 'REGISTRY/holdfast', 'image.repository is REGISTRY/holdfast, which is a placeholder'],
  ['another placeholder', 'registry.example.com/holdfast', 'which is a placeholder'],
  ['an address', 'https://ghcr.io/team/holdfast', 'give a name without https://, tag or digest'],
  ['a name with its tag', 'ghcr.io/team/holdfast:1', 'give a name without https://, tag or digest'],
])('%s is refused by a sentence', (_, repository, sentence) => {
  expect(() => render(`image.repository=${repository}`)).toThrow(sentence);
});

testWithHelm.each([
  ['holdfast', 'holdfast:0.1.0'],
  ['localhost:5000/holdfast', 'localhost:5000/holdfast:0.1.0'],
  ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/team_a/holdfast', undefined],
])('%s may be where an image is', (repository, image) => {
  expect(imageOf(`image.repository=${repository}`)).toBe(image ?? `${repository}:0.1.0`);
});

testWithHelm.each([
  ['2026', '2026'],
  ['20261128235959', '20261128235959'],
  ['1.10', '1.10'],
  ['0012', '0012'],
  ['2', '2'],
  ['0', '0'],
])('%s is a tag as it is written', (tag, expected) => {
  expect(imageOf(`image.tag=${tag}`)).toBe(`registry.test/holdfast:${expected}`);
});

testWithHelm.each([
  ['release', ['a'.repeat(53)], []],
  ['full name', ['keep'], ['--set', `fullnameOverride=${'b'.repeat(63)}`]],
])('a %s as long as it may be leaves room in the names of Services', (_, [release], settings) => {
  const serve = ['--set', 'watchNamespaces={watched}', '--set', 'serve.enabled=true'];
  const objects = renderRelease(helm, release!, ...serve, ...settings);
  const names = objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
  expect(names.map((name) => name.length)).toEqual([63, 63]);
  const [deployment] = ofApi(objects).filter(({ kind }) => kind === 'Deployment');
  const [{ env }] = deployment.spec.template.spec.containers;
  const hosts = env.find(({ name }: KubernetesObject) => name === 'HOLDFAST_API_HOSTS').value.split(',');
  expect(names).toContain(hosts[0]);
});

testWithHelm.each([
  ['a label that Holdfast gives', 'tasks.labels.app\\.kubernetes\\.io/name=x', '/tasks/labels/app.kubernetes.io~1name'],
  ['a label that Kubernetes would refuse', 'tasks.labels.team=two words', '/tasks/labels/team'],
  ['a label that is too long', `tasks.labels.team=${'x'.repeat(64)}`, '/tasks/labels/team'],
  ['a variable of Holdfast', 'tasks.env.DATABASE_URL=x', '/tasks/env/DATABASE_URL'],
  ['a variable that cannot be', 'tasks.env.A-B=x', "/tasks/env': additional properties 'A-B'"],
])('%s is refused by its place in the values', (_, setting, place) => {
  expect(() => render(setting)).toThrow(`at '${place}`);
});

testWithHelm('names are texts, also those that YAML takes for numbers or truths', () => {
  const settings = ['--set', 'serve.enabled=true,networkPolicy.enabled=true', '--set-json', 'watchNamespaces=["no"]'];
  const objects = renderRelease(helm, '2026', ...settings, '--set', 'fullnameOverride=y,caBundle.configMap=on');
  const places = objects.flatMap(({ metadata }) => [metadata.name, metadata.namespace ?? 'no']);
  expect(places.filter((name) => typeof name !== 'string')).toEqual([]);
  const labels = objects.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance'] ?? '2026');
  expect([...new Set(labels)]).toEqual(['2026']);
  const [deployment] = ofApi(objects).filter(({ kind }) => kind === 'Deployment');
  expect(deployment.spec.template.spec.volumes).toContainEqual(
    expect.objectContaining({ name: 'ca', configMap: expect.objectContaining({ name: 'on' }) }),
  );
});

testWithHelm('the policy says of a list without a name that it has none', () => {
  const [policy] = render('allow.secrets.keys={}').filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
  const said: string[] = policy.spec.validations.map(({ messageExpression = '' }) => messageExpression);
  expect(said.filter((text) => text.endsWith("those are none'"))).toEqual([expect.stringContaining('keySecretRef')]);
});

const operatorImage = (objects: readonly KubernetesObject[]): string => {
  const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'holdfast');
  return deployment.spec.template.spec.containers[0].image;
};
const imageOf = (...settings: string[]) => operatorImage(render(...settings));

const ofApi = (objects: readonly KubernetesObject[]) =>
  objects.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'api');

testWithHelm('the API is there once it is asked for, in the namespaces of programs, and has their secrets', () => {
  expect(ofApi(render('watchNamespaces={watched}'))).toEqual([]);
  const objects = ofApi(render('watchNamespaces={watched,other}', 'serve.enabled=true'));
  const places = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
  const each = ['PodDisruptionBudget', 'Service', 'Deployment'];
  expect(places).toEqual(
    each.flatMap((kind) => ['watched', 'other'].map((namespace) => `${kind} ${namespace}/holdfast-api`)),
  );
  const [deployment] = objects.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.namespace === 'other');
  const { spec } = deployment.spec.template;
  expect(spec.automountServiceAccountToken).toBe(false);
  expect(spec.volumes).toContainEqual({
    name: 'tokens',
    secret: { secretName: 'holdfast-api-tokens', items: [{ key: 'tokens', path: 'tokens' }] },
  });
  const [{ args, env }] = spec.containers;
  expect(args).toContain('--namespace=other');
  expect(env).toEqual([
    { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'holdfast-postgres', key: 'url' } } },
    {
      name: 'HOLDFAST_API_HOSTS',
      value: 'holdfast-api,holdfast-api.other,holdfast-api.other.svc,holdfast-api.other.svc.cluster.local',
    },
  ]);
});

testWithHelm(
  'pods that are not ready keep no node from being emptied, as those of the API before the first run',
  () => {
    const budgets = render('watchNamespaces={watched}', 'serve.enabled=true').filter(
      ({ kind }) => kind === 'PodDisruptionBudget',
    );
    expect(budgets.map(({ spec }) => [spec.maxUnavailable, spec.unhealthyPodEvictionPolicy])).toEqual([
      [1, 'AlwaysAllow'],
      [1, 'AlwaysAllow'],
    ]);
  },
);

testWithHelm('one replica of the API has no budget that would keep its node from being emptied', () => {
  const objects = ofApi(render('watchNamespaces={watched}', 'serve.enabled=true', 'serve.replicas=1'));
  expect(objects.map(({ kind }) => kind)).toEqual(['Service', 'Deployment']);
});

testWithHelm.each([
  ['no namespace', [], 'serve.enabled, but no namespace: --set watchNamespaces={NAMESPACE}'],
  ['all namespaces', ['watchNamespaces={*}'], 'say whose candidates are to be served'],
  [
    'a secret that programs may name',
    ['watchNamespaces={watched}', 'serve.tokens.secretName=holdfast-token-api'],
    'serve.tokens.secretName holdfast-token-api is one that programs may name, by holdfast-token-* of allow.secrets.tokens',
  ],
  [
    'the secret of the database for its tokens',
    ['watchNamespaces={watched}', 'serve.tokens.secretName=holdfast-postgres'],
    'serve.tokens.secretName holdfast-postgres is also postgres.secretName, which programs may name',
  ],
  [
    'a token for Prometheus that programs may name',
    [
      'watchNamespaces={watched}',
      'serve.serviceMonitor.enabled=true',
      'serve.serviceMonitor.tokenSecret.name=holdfast-token-metrics',
    ],
    'serve.serviceMonitor.tokenSecret.name holdfast-token-metrics is one that programs may name',
  ],
])('the API with %s is refused by a sentence', (_, settings, sentence) => {
  expect(() => render('serve.enabled=true', ...settings)).toThrow(sentence);
});

testWithHelm('a network policy lets into the API its own namespace, or whom the values name', () => {
  const [policy] = ofApi(render('watchNamespaces={watched}', 'serve.enabled=true', 'networkPolicy.enabled=true'));
  expect(policy.spec.ingress).toEqual([{ ports: [{ port: 'http', protocol: 'TCP' }], from: [{ podSelector: {} }] }]);
  expect(
    policy.spec.egress.flatMap(({ ports }: KubernetesObject) => ports.map(({ port }: KubernetesObject) => port)),
  ).toEqual([53, 53, 5432]);
});

testWithHelm(
  'Prometheus finds the metrics of each replica by a Service, and by monitors once they are asked for',
  () => {
    const [service] = render().filter(({ kind }) => kind === 'Service');
    expect(service).toMatchObject({ metadata: { name: 'holdfast-metrics' }, spec: { clusterIP: 'None' } });
    const monitors = render(
      'watchNamespaces={watched}',
      'serve.enabled=true',
      'serve.serviceMonitor.enabled=true',
      'metrics.serviceMonitor.enabled=true',
      'metrics.serviceMonitor.labels.release=prometheus',
    ).filter(({ kind }) => kind === 'ServiceMonitor');
    expect(monitors.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
      'holdfast-system/holdfast',
      'watched/holdfast-api',
    ]);
    expect(monitors[0].metadata.labels.release).toBe('prometheus');
    expect(monitors[0].spec.selector.matchLabels).toEqual(service.spec.selector);
    expect(monitors[1].spec.endpoints[0].authorization.credentials).toEqual({
      name: 'holdfast-api-metrics',
      key: 'token',
    });
    expect(render().filter(({ kind }) => kind === 'ServiceMonitor')).toEqual([]);
    expect(() => render('metrics.serviceMonitor.enabled=true', 'metrics.service.enabled=false')).toThrow(
      'metrics.serviceMonitor needs metrics.service.enabled=true',
    );
  },
);
