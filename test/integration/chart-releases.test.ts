import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type KubernetesObject, releaseNotes, renderRelease } from '../support/chart.ts';

/*
 * Several releases beside each other: none finds the pods of another, since a selector never changes once it is there.
 */
const testWithHelm = await testOnControlPlane(['helm']);
let helm: string;

beforeAll(async () => {
  ({ helm } = await findBinaries(['helm']));
}, 120_000);

const ALL = [
  'watchNamespaces={shop}',
  'serve.enabled=true,serve.serviceMonitor.enabled=true,metrics.serviceMonitor.enabled=true',
  'networkPolicy.enabled=true,crds.install=false',
];

const release = (name: string, namespace: string, ...settings: readonly string[]) =>
  renderRelease(helm, name, ...[...ALL, ...settings].flatMap((one) => ['--set', one]), '--namespace', namespace);

interface Labelled {
  readonly what: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

const nameOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.namespace}/${metadata.name}`;

/** Pods of Deployments. */
const podsOf = (objects: readonly KubernetesObject[]): Labelled[] =>
  objects
    .filter(({ kind }) => kind === 'Deployment')
    .map((object) => ({
      what: nameOf(object),
      namespace: object.metadata.namespace,
      labels: object.spec.template.metadata.labels,
    }));

/** Whatever finds pods of Deployments by their labels; not the tasks, which belong to no release. */
const selectorsOf = (objects: readonly KubernetesObject[]): Labelled[] =>
  objects
    .filter(({ metadata }) => !metadata.name.endsWith('-tasks'))
    .flatMap((object) => {
      const { spec, metadata } = object;
      const spread = spec?.template?.spec.topologySpreadConstraints ?? [];
      const apart =
        spec?.template?.spec.affinity?.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      const found = [
        object.kind === 'Service' ? spec.selector : spec?.selector?.matchLabels,
        spec?.podSelector?.matchLabels,
        ...spread.map(({ labelSelector }: KubernetesObject) => labelSelector.matchLabels),
        ...apart.map(({ podAffinityTerm }: KubernetesObject) => podAffinityTerm.labelSelector.matchLabels),
      ];
      return found
        .filter((labels) => labels !== undefined)
        .map((labels) => ({ what: nameOf(object), namespace: metadata.namespace, labels }));
    });

const finds = (selector: Labelled, pods: Labelled) =>
  selector.namespace === pods.namespace &&
  Object.entries(selector.labels).every(([name, value]) => pods.labels[name] === value);

testWithHelm.each([
  ['in two namespaces, of one name', ['keep', 'one'], ['keep', 'two', 'fullnameOverride=other']],
  ['in two namespaces, of one full name', ['keep', 'one', 'fullnameOverride=x'], ['hold', 'two', 'fullnameOverride=x']],
  ['in one namespace', ['keep', 'one'], ['hold', 'one']],
  ['in one namespace, of one full name', ['keep', 'one', 'fullnameOverride=x'], ['hold', 'one', 'fullnameOverride=x']],
  ['in one namespace, one of the name of the other', ['keep', 'one'], ['keep-holdfast', 'one']],
] as const)(
  'of two releases %s each finds its own pods',
  (_, [name, namespace, ...own], [other, elsewhere, ...its]) => {
    const first = release(name, namespace, ...own);
    const pods = podsOf(release(other, elsewhere, ...its));
    const selectors = selectorsOf(first);
    expect(selectors.length).toBe(12);
    expect(selectors.filter((selector) => pods.some((pod) => finds(selector, pod)))).toEqual([]);
    // ServiceMonitors select Services, which have the same labels.
    for (const selector of selectors) expect(podsOf(first).filter((pod) => finds(selector, pod))).toHaveLength(1);
  },
);

testWithHelm('selectors have nothing that an upgrade changes', () => {
  const standard = ['app.kubernetes.io/component', 'app.kubernetes.io/instance', 'app.kubernetes.io/name'];
  const names = selectorsOf(release('keep', 'one')).map(({ labels }) => Object.keys(labels).toSorted().join());
  expect([...new Set(names)].toSorted()).toEqual([
    standard.join(),
    [...standard, 'holdfast.dev/release-namespace'].join(),
  ]);
});

testWithHelm('the command of the notes makes a token as it is typed, and shows it', async () => {
  const notes = releaseNotes(helm, '--set', 'watchNamespaces={shop}', '--set', 'serve.enabled=true');
  const [command] = /^ *TOKEN=[^]*?echo "\$TOKEN"$/m.exec(notes)!;
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-notes-'));
  try {
    const asked = join(folder, 'asked');
    await writeFile(join(folder, 'kubectl'), `#!/bin/sh\nprintf '%s\\n' "$@" > '${asked}'\n`);
    await chmod(join(folder, 'kubectl'), 0o755);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
    const shown = execFileSync('sh', ['-c', command], { env, encoding: 'utf8', timeout: 60_000 }).trim();
    expect(shown).toMatch(/^[0-9a-f]{64}$/);
    const args = (await readFile(asked, 'utf8')).trim().split('\n');
    expect(args).toEqual([
      ...['create', 'secret', 'generic', 'holdfast-api-tokens', '--namespace', 'shop'],
      `--from-literal=tokens=shop ${shown}`,
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
