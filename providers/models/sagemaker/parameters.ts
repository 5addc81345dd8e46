import type { ModelParameters } from '../model.ts';

/** A model on an endpoint of SageMaker. */
export const sagemakerParameters = {
  address: '[^\\x00-\\x20\\x7f]+',
  form: 'sagemaker://ENDPOINT',
  fields: {},
} satisfies ModelParameters;
