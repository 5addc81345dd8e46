import { type Static, Type } from 'typebox';
import { fields, text } from '../../base/schema/fields.ts';

export const problem = fields('Why a request was not answered, as RFC 9457 has it.', {
  type: Type.String({ description: 'A page about the code.' }),
  title: Type.String({ description: 'What the code means.' }),
  status: Type.Integer({ description: 'Status of the response.' }),
  detail: Type.String({ description: 'What happened this time.' }),
  code: Type.String({ description: 'Stable code, such as HF_NOT_FOUND; see docs/errors.md.' }),
  requestId: Type.String({ description: 'As in the header x-request-id, and in the log.' }),
  errors: Type.Optional(
    Type.Array(
      fields('A parameter that is at fault.', {
        parameter: Type.String({ description: 'Its name.' }),
        reason: Type.String({ description: 'What is wrong with it.' }),
      }),
    ),
  ),
});
export type Problem = Static<typeof problem>;

const resourceName = (description: string) => text(description, 253);

/** Parameters in paths. Lengths in characters. */
export const pathParameters = {
  namespace: resourceName('Namespace of the program; `default` on a laptop.'),
  program: resourceName('Name of the program.'),
  run: resourceName('Name of a run.'),
  customer: Type.String({
    pattern: '^[^\\x00]*$',
    meaning: 'an id of a customer',
    minLength: 1,
    maxLength: 256,
    description: 'Id of a customer.',
  }),
};
