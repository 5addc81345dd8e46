import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';

/*
 * What the chart and the examples say is what the API server keeps: whoever compares the two, as GitOps does all the time,
 * finds no difference.
 */
const ROOT = join(import.meta.dirname, '../..');

const testOnServer = await testOnControlPlane(['helm', 'kubectl']);
let plane: ControlPlane;
let programs: { readonly helm: string; readonly kubectl: string };

beforeAll(async () => {
  programs = await findBinaries(['helm', 'kubectl']);
  plane = await startControlPlane({ definitions: false });
  for (const name of ['shop', 'bank']) await plane.request('POST', '/api/v1/namespaces', { metadata: { name } });
  await plane.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', SERVICE_MONITORS);
}, 120_000);

afterAll(async () => {
  await plane?.stop();
}, 60_000);

/** As much of the Prometheus operator's kind as an API server needs. */
const SERVICE_MONITORS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'servicemonitors.monitoring.coreos.com' },
  spec: {
    group: 'monitoring.coreos.com',
    names: { kind: 'ServiceMonitor', plural: 'servicemonitors', singular: 'servicemonitor' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const INSTALL = [
  'charts/holdfast',
  '--namespace',
  'holdfast-system',
  '--set',
  'image.repository=registry.test/holdfast',
];

function ask(program: keyof typeof programs, args: readonly string[], input = '') {
  const environment = { ...process.env, KUBECONFIG: plane.kubeconfig, HELM_CACHE_HOME: plane.folder };
  const { status, stdout, stderr } = spawnSync(programs[program], args, {
    cwd: ROOT,
    env: { ...environment, HELM_CONFIG_HOME: plane.folder, HELM_DATA_HOME: plane.folder },
    encoding: 'utf8',
    input,
  });
  return { status, said: stdout, complaints: stderr };
}

testOnServer.each<[string, string[], object?]>([
  ['as it comes', []],
  [
    'with all there is',
    [
      'watchNamespaces={shop,bank}',
      'networkPolicy.enabled=true',
      'serve.enabled=true',
      'serve.serviceMonitor.enabled=true',
      'metrics.serviceMonitor.enabled=true',
      'podAnnotations.port=8080',
    ],
  ],
  [
    'with as little as there can be',
    [
      'watchNamespaces={shop}',
      'replicas=1',
      'serve.enabled=true',
      'serve.replicas=1',
      'networkPolicy.enabled=true',
      'aggregateRoles=false',
      'admission.scope=watched',
    ],
    { networkPolicy: { serve: { from: [], egress: [] }, tasks: { egress: [] } }, allow: { serviceAccounts: [] } },
  ],
  ['for all namespaces', ['watchNamespaces={*}']],
])('what is installed %s is what the chart says, and it says the same each time', (_, settings, values = {}) => {
  const json = Object.entries(values).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]);
  const options = [...INSTALL, ...settings.flatMap((setting) => ['--set', setting]), ...json];
  const installed = ask('helm', ['upgrade', '--install', 'holdfast', ...options, '--create-namespace']);
  expect([installed.status, installed.complaints]).toEqual([0, '']);
  const rendered = ask('helm', ['template', 'holdfast', ...options]).said;
  expect(ask('helm', ['template', 'holdfast', ...options]).said).toBe(rendered);
  for (const how of [[], ['--server-side']]) {
    expect(ask('kubectl', ['diff', ...how, '-f', '-'], rendered)).toEqual({ status: 0, said: '', complaints: '' });
  }
});

testOnServer.each(['churn-prevention', 'cell2cell', 'telco', 'bank'])('%s.yaml is kept as it was applied', (name) => {
  const file = ['--namespace', 'shop', '-f', `examples/${name}.yaml`];
  expect(ask('kubectl', ['apply', ...file]).status).toBe(0);
  expect(ask('kubectl', ['diff', ...file])).toEqual({ status: 0, said: '', complaints: '' });
});
