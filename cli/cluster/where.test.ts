import { expect, test } from '@jest/globals';
import { chooseWhere, type Surroundings, type WhereOptions } from './where.ts';

const HOME_CONFIG = '/home/ann/.kube/config';
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const PLUGIN = { HOLDFAST_CALLED_AS: 'kubectl holdfast' };

interface Case {
  readonly options?: WhereOptions;
  readonly environment?: Record<string, string>;
  readonly files?: readonly string[];
  readonly state?: boolean;
  readonly data?: boolean;
}

function choose({ options = {}, environment = {}, files = [], state = false, data = false }: Case): string {
  const around: Surroundings = {
    environment: { HOME: '/home/ann', ...environment },
    dataIsGiven: data,
    hasState: state,
    isFile: (path) => files.includes(path),
  };
  const where = chooseWhere(options, around);
  if (where.in === 'data folder') return where.in;
  return ['cluster', where.kubeconfig?.join('+') ?? 'pod', where.context ?? ''].join(' ').trim();
}

test.each<[string, Case, string]>([
  ['nothing said, nothing there: the data folder, which says that it is empty', {}, 'data folder'],
  [
    'nothing said, a data folder and a kubeconfig: the data folder',
    { state: true, files: [HOME_CONFIG] },
    'data folder',
  ],
  ['nothing said, a kubeconfig alone: its cluster', { files: [HOME_CONFIG] }, `cluster ${HOME_CONFIG}`],
  [
    'KUBECONFIG goes before the home folder',
    { environment: { KUBECONFIG: 'a:b' }, files: [HOME_CONFIG] },
    'cluster a+b',
  ],
  ['an empty KUBECONFIG is none', { environment: { KUBECONFIG: ':' }, files: [HOME_CONFIG] }, `cluster ${HOME_CONFIG}`],
  [
    '--cluster goes before a data folder',
    { options: { cluster: true }, state: true, files: [HOME_CONFIG] },
    `cluster ${HOME_CONFIG}`,
  ],
  [
    'so does --context',
    { options: { context: 'dev' }, state: true, files: [HOME_CONFIG] },
    `cluster ${HOME_CONFIG} dev`,
  ],
  [
    'so does --kubeconfig, which goes before KUBECONFIG',
    { options: { kubeconfig: 'mine' }, environment: { KUBECONFIG: 'a' }, state: true },
    'cluster mine',
  ],
  [
    'kubectl holdfast is always the cluster',
    { environment: PLUGIN, state: true, files: [HOME_CONFIG] },
    `cluster ${HOME_CONFIG}`,
  ],
  ['--data goes before a kubeconfig', { data: true, files: [HOME_CONFIG] }, 'data folder'],
  [
    'in a pod without either: its cluster',
    { environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, files: [TOKEN] },
    'cluster pod',
  ],
  ['a pod without a token is none', { environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }, 'data folder'],
  ['a namespace alone says nothing of the place', { options: { namespace: 'shop' }, state: true }, 'data folder'],
])('%s', (_, one, expected) => {
  expect(choose(one)).toBe(expected);
});

test.each<[string, Case, string]>([
  ['--data and a cluster', { data: true, options: { cluster: true }, files: [HOME_CONFIG] }, 'HF_USAGE'],
  ['--data as a plugin', { data: true, environment: PLUGIN }, 'HF_USAGE'],
  ['a cluster without a kubeconfig', { options: { cluster: true } }, 'HF_CLUSTER_CONFIG'],
  ['a plugin without a kubeconfig', { environment: { ...PLUGIN, HOME: '' }, state: true }, 'HF_CLUSTER_CONFIG'],
])('%s is refused', (_, one, code) => {
  expect(() => choose(one)).toThrow(expect.objectContaining({ code }));
});
