import { expect, test } from '@jest/globals';
import { readSettings, runsIn } from './settings.ts';

const IMAGE = { HOLDFAST_IMAGE: 'holdfast:1' };

test('what programs may use is nothing until it is said', () => {
  const { allowed, watchNamespaces } = readSettings(IMAGE);
  expect(Object.values(allowed).flat()).toEqual([]);
  expect(watchNamespaces).toEqual([]);
});

test('ten runs are at work at once, and begin spread over ten seconds, unless the environment says otherwise', () => {
  expect(readSettings(IMAGE)).toMatchObject({ maxRuns: 10, startJitterSeconds: 10 });
  const said = { ...IMAGE, HOLDFAST_MAX_RUNS: '40', HOLDFAST_START_JITTER_SECONDS: '0' };
  expect(readSettings(said)).toMatchObject({ maxRuns: 40, startJitterSeconds: 0 });
});

test.each(['0', '-1', '1.5', 'ten', '10001', '1e3'])('%s is no number of runs', (HOLDFAST_MAX_RUNS) => {
  expect(() => readSettings({ ...IMAGE, HOLDFAST_MAX_RUNS })).toThrow(
    'HOLDFAST_MAX_RUNS: expected a whole number from 1 to 10000.',
  );
});

test('names are one on a line, as a ConfigMap has them', () => {
  const { allowed } = readSettings({
    ...IMAGE,
    HOLDFAST_ALLOWED_CONNECTIONS: 'crm\nholdfast-warehouse-*\n',
    HOLDFAST_ALLOWED_SERVICE_ACCOUNTS: 'tasks',
  });
  expect(allowed).toMatchObject({
    connections: ['crm', 'holdfast-warehouse-*'],
    serviceAccounts: ['tasks'],
    tokens: [],
  });
});

test.each([
  ['no namespace', [], 'shop', false],
  ['the one that is named', ['shop'], 'shop', true],
  ['no other', ['shop'], 'shop-2', false],
  ['all, and none of Kubernetes itself', ['*'], 'kube-system', false],
  ['all, and so any', ['*'], 'shop', true],
  ['one of Kubernetes itself that is named', ['*', 'kube-shop'], 'kube-shop', true],
])('the programs that are run: %s', (_name, watchNamespaces, namespace, expected) => {
  expect(runsIn(namespace, { watchNamespaces })).toBe(expected);
});
