import { expect, test } from '@jest/globals';
import {
  attribute as attributeOf,
  externalTensor,
  identityModel,
  linearModel,
  message,
  model,
  node,
  tensor,
} from '../../../test/support/onnx.ts';

import { MalformedModel } from './protobuf.ts';
import { refusedPart } from './refused-parts.ts';

const outside = externalTensor('weights', [2, 1], '../../etc/passwd');
const inside = tensor('weights', [2, 1], [1, 2]);
const whole = { nodes: [node('Identity', ['features'], ['scores'])], input: ['N', 2], output: ['N', 2] };
const attribute = (field: number, value: Uint8Array) => message([1, 'value'], [field, value]);
const withAttribute = (bytes: Uint8Array) => model({ ...whole, nodes: [node('Constant', [], ['scores'], [bytes])] });
const subgraph = message([5, outside]);

test.each([
  ['an initializer', model({ ...whole, initializers: [outside] })],
  ['the second of two initializers', model({ ...whole, initializers: [inside, outside] })],
  ['the values of a sparse initializer', message([7, message([15, message([1, outside])])])],
  ['the indices of a sparse initializer', message([7, message([15, message([2, outside])])])],
  ["a node's tensor", withAttribute(attribute(5, outside))],
  ["one of a node's tensors", withAttribute(attribute(10, outside))],
  ["a node's sparse tensor", withAttribute(attribute(22, message([1, outside])))],
  ["one of a node's sparse tensors", withAttribute(attribute(23, message([1, outside])))],
  ['the branch of an If', withAttribute(attribute(6, subgraph))],
  ['one of several subgraphs', withAttribute(attribute(11, subgraph))],
  [
    'a subgraph within a subgraph',
    withAttribute(attribute(6, message([1, node('If', [], [], [attribute(6, subgraph)])]))),
  ],
  [
    "a function's node",
    model({ ...whole, functions: [message([7, node('Constant', [], ['x'], [attribute(5, outside)])])] }),
  ],
  ["the default of a function's attribute", model({ ...whole, functions: [message([11, attribute(5, outside)])] })],
  ['the training part', message([20, message([1, subgraph])])],
  [
    'a tensor with only a location',
    message([7, message([5, message([8, 'weights'], [13, message([1, 'location'], [2, 'x'])])])]),
  ],
  ['a tensor that only says that it is external', message([7, message([5, message([8, 'weights'], [14, 1])])])],
  [
    'a second occurrence of the graph, which protobuf merges',
    Buffer.concat([identityModel(2), message([7, message([5, outside])])]),
  ],
])('external data are found in %s', (_place, bytes) => {
  expect(refusedPart(bytes)).toContain('keeps the values of its tensor "weights" in another file');
});

test.each([
  ['gives back its features', identityModel(3)],
  ['has weights inside', linearModel([1, 2], 0)],
  ['is empty', Buffer.alloc(0)],
])('a model that %s has none', (_kind, bytes) => {
  expect(refusedPart(bytes)).toBeUndefined();
});

const loop = node(
  'Loop',
  ['trips', 'goOn', 'features'],
  ['scores'],
  [attribute(6, message([1, node('Identity', [], [])]))],
);

test.each([
  ['the graph', model({ ...whole, nodes: [loop] })],
  ['the branch of an If', model({ ...whole, nodes: [node('If', [], ['scores'], [attribute(6, message([1, loop]))])] })],
  ['a function', model({ ...whole, functions: [message([7, loop])] })],
])('a Loop in %s is refused, since nothing could interrupt it', (_place, bytes) => {
  expect(refusedPart(bytes)).toContain('has a Loop');
});

test.each(['Loop', 'Scan', 'SequenceMap'])(
  'a node %s goes over rows of its own, for as long as it likes',
  (operator) => {
    const nodes = [node(operator, ['features'], ['scores'], [attribute(6, message([1, node('Identity', [], [])]))])];
    expect(refusedPart(model({ ...whole, nodes }))).toContain(`has a ${operator}, which nothing could interrupt`);
  },
);

const trees = (operator: string, ...attributes: Buffer[]) =>
  model({ ...whole, nodes: [node(operator, ['features'], ['scores'], attributes, 'ai.onnx.ml')] });

test.each([
  [
    'LOGISTIC of a regressor',
    trees('TreeEnsembleRegressor', attributeOf.text('post_transform', 'LOGISTIC')),
    'LOGISTIC',
  ],
  ['SOFTMAX of a regressor', trees('TreeEnsembleRegressor', attributeOf.text('post_transform', 'SOFTMAX')), 'SOFTMAX'],
  [
    'SOFTMAX_ZERO of a regressor',
    trees('TreeEnsembleRegressor', attributeOf.text('post_transform', 'SOFTMAX_ZERO')),
    'SOFTMAX_ZERO',
  ],
  ['transform 2 of the newest operator', trees('TreeEnsemble', attributeOf.int('post_transform', 2)), 'LOGISTIC'],
  [
    'a regressor that says one target',
    trees('TreeEnsembleRegressor', attributeOf.int('n_targets', 1), attributeOf.text('post_transform', 'LOGISTIC')),
    'LOGISTIC',
  ],
])('a transform over one target that the runtime leaves out is refused: %s', (_kind, bytes, transform) => {
  expect(refusedPart(bytes)).toContain(`in ${transform} over one target`);
});

test.each([
  ['no transform', trees('TreeEnsembleRegressor', attributeOf.text('post_transform', 'NONE'))],
  ['PROBIT, which it applies', trees('TreeEnsembleRegressor', attributeOf.text('post_transform', 'PROBIT'))],
  [
    'several targets',
    trees('TreeEnsembleRegressor', attributeOf.int('n_targets', 3), attributeOf.text('post_transform', 'SOFTMAX')),
  ],
  ['a classifier', trees('TreeEnsembleClassifier', attributeOf.text('post_transform', 'LOGISTIC'))],
])('trees are taken with %s', (_kind, bytes) => {
  expect(refusedPart(bytes)).toBeUndefined();
});

const nested = (depth: number): Buffer => {
  let bytes = message([5, outside]);
  for (let level = 0; level < depth; level++) bytes = message([1, node('If', [], [], [attribute(6, bytes)])]);
  return message([7, bytes]);
};

test.each([
  ['text', Buffer.from('version https://git-lfs.github.com/spec/v1\n')],
  ['a graph longer than the file', linearModel([1, 2], 0).subarray(0, 40)],
  ['a number without an end', Buffer.from([0x08, ...Array<number>(11).fill(0xff)])],
  ['a length beyond what a file can have', Buffer.from([0x3a, ...Array<number>(9).fill(0xff), 0x01])],
  ['a graph that is a number', message([7, 1])],
  ['a field numbered 0', Buffer.from([0x00, 0x01])],
  ['a thousand nested subgraphs', nested(1000)],
])('%s is not a model', (_kind, bytes) => {
  expect(() => refusedPart(bytes)).toThrow(MalformedModel);
});
