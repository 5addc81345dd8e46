import { type Field, message, model, node, tensor } from '../../jobs/models/onnx-writer.ts';

export { message, model, node, tensor };

const FLOAT = 1;

/** A TensorProto whose values are said to lie in another file. */
export function externalTensor(name: string, dimensions: readonly number[], location: string): Buffer {
  const entry = message([1, 'location'], [2, location]);
  return message(...dimensions.map((size): Field => [1, size]), [2, FLOAT], [8, name], [13, entry], [14, 1]);
}

/** Gives back its features: with one feature, the feature is the risk; with three, they are the three effects. */
export function identityModel(features: number): Buffer {
  return model({
    nodes: [node('Identity', ['features'], ['scores'])],
    input: ['N', features],
    output: ['N', features],
  });
}

/** A logistic regression: the sigmoid of `features · weights + bias`, in one column. */
export function linearModel(weights: readonly number[], bias: number): Buffer {
  return model({
    nodes: [
      node('MatMul', ['features', 'weights'], ['product']),
      node('Add', ['product', 'bias'], ['sum']),
      node('Sigmoid', ['sum'], ['scores']),
    ],
    initializers: [tensor('weights', [weights.length, 1], weights), tensor('bias', [1], [bias])],
    input: ['N', weights.length],
    output: ['N', 1],
  });
}
