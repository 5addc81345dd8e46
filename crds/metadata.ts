import type { StructuralSchema } from './structural.ts';

const TEXT: StructuralSchema = { type: 'string' };
const TEXTS: StructuralSchema = { type: 'object', additionalProperties: TEXT };
const ANY_OBJECT: StructuralSchema = { type: 'object' };

/** What Kubernetes takes as the metadata of an object: its own rules, which no CustomResourceDefinition repeats. */
export function metadataSchema(): StructuralSchema {
  return {
    type: 'object',
    properties: {
      name: {
        type: 'string',
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
        meaning: 'lower-case letters, digits, inner hyphens and dots',
        maxLength: 253,
      },
      generateName: {
        type: 'string',
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?-?$',
        meaning: 'lower-case letters, digits and hyphens',
        maxLength: 247,
      },
      namespace: {
        type: 'string',
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
        meaning: 'lower-case letters, digits and inner hyphens',
        maxLength: 63,
      },
      labels: TEXTS,
      annotations: TEXTS,
      finalizers: { type: 'array', items: TEXT },
      ownerReferences: { type: 'array', items: ANY_OBJECT },
      managedFields: { type: 'array', items: ANY_OBJECT },
      uid: TEXT,
      resourceVersion: TEXT,
      generation: { type: 'integer' },
      creationTimestamp: TEXT,
      deletionTimestamp: TEXT,
      deletionGracePeriodSeconds: { type: 'integer' },
      selfLink: TEXT,
    },
    'x-kubernetes-validations': [
      {
        rule: 'has(self.name) || has(self.generateName)',
        message: 'is required: the name of the object',
        fieldPath: '.name',
      },
    ],
  };
}
