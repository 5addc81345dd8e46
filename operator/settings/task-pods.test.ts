import { expect, test } from '@jest/globals';
import { PLAIN_TASK_PODS, readTaskPods } from './task-pods.ts';

test('without a word of the chart pods are as plain as can be', () => {
  expect(readTaskPods(undefined)).toBe(PLAIN_TASK_PODS);
});

test('numbers and truths are the texts that they were written as', () => {
  const { labels, annotations, nodeSelector, env } = readTaskPods(
    '{"labels":{"cost":1000000,"gone":null},"annotations":{"inject":false},"nodeSelector":{"gpu":true},"env":{"NODE_USE_ENV_PROXY":1}}',
  );
  expect({ labels, annotations, nodeSelector, env }).toEqual({
    labels: { cost: '1000000' },
    annotations: { inject: 'false' },
    nodeSelector: { gpu: 'true' },
    env: { NODE_USE_ENV_PROXY: '1' },
  });
});

test('user and groups are those that are given, and no others', () => {
  expect(readTaskPods('{"securityContext":{}}').securityContext).toEqual({});
  expect(readTaskPods('{}').securityContext).toEqual({});
  expect(readTaskPods('{"securityContext":{"runAsUser":1000680000}}').securityContext).toEqual({
    runAsUser: 1_000_680_000,
  });
});

test('what is no JSON is named', () => {
  expect(() => readTaskPods('{')).toThrow('HOLDFAST_TASK_PODS: expected the JSON');
});
