import { expect, test } from '@jest/globals';
import { readSettings, runsIn } from './settings.ts';

const IMAGE = { HOLDFAST_IMAGE: 'holdfast:1' };

test('what programs may use is nothing until it is said', () => {
  const { allowed, watchNamespaces } = readSettings(IMAGE);
  expect(Object.values(allowed).flat()).toEqual([]);
  expect(watchNamespaces).toEqual([]);
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
