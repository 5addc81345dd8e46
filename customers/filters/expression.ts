import { type Static, Type } from 'typebox';
import type { FilterDefinition } from './filter.ts';
import { MAX_EXPRESSION_LENGTH, parseExpression } from './language.ts';

const parameters = Type.Object({
  expression: Type.String({
    minLength: 1,
    maxLength: MAX_EXPRESSION_LENGTH,
    description: 'A condition over the columns, such as `lifetime_value > 500 && marketplace in ["US", "UK"]`.',
  }),
});

/** Passes customers for whom a person's own condition is true; unknown, where a value is missing, does not pass. */
export const expression: FilterDefinition<Static<typeof parameters>> = {
  rule: 'expression',
  type: 'expression',
  description: 'Customers for whom an expression over the columns is true.',
  parameters,
  predicate: ({ expression: text }) => parseExpression(text),
};
