import { Type } from 'typebox';
import type { ModelParameters } from '../../../../providers/models/model.ts';

export const hunchParameters = {
  address: '(0|1)([.][0-9]+)?',
  form: 'hunch://RISK',
  description: 'hunch:// is the same risk for everybody.',
  fields: {
    doubt: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'hunch://: taken off the risk.' })),
  },
  rules: [
    {
      rule: "!has(self.doubt) || self.endpoint.startsWith('hunch://')",
      message: 'doubt is for hunch:// models only',
      fieldPath: '.doubt',
    },
  ],
} satisfies ModelParameters;
