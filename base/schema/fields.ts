import { type TSchema, Type } from 'typebox';
import { QUANTITY } from './quantity.ts';

/**
 * The words that schemas are written in. What they make is at once a TypeBox schema (for types and for the
 * local evaluator) and the source of a structural schema (for the API server). Besides the keywords of
 * JSON Schema they may carry `x-kubernetes-*` extensions, and `meaning`, which the generator leaves out:
 * what a pattern stands for, in words.
 */
export interface Rule {
  /** In the part of CEL that Kubernetes and the local evaluator share. */
  readonly rule: string;
  readonly message?: string;
  /** CEL that makes the message; `message` is what stands in for it. */
  readonly messageExpression?: string;
  /** CEL that names what is at fault, for the local evaluator only: to the API server it would cost too much. */
  readonly detail?: string;
  /** Field at fault, relative to the schema that carries the rule, such as `.parameters.expression`. */
  readonly fieldPath?: string;
}

/** Options that attach rules to a schema. */
export const rules = (...list: readonly Rule[]) => ({ 'x-kubernetes-validations': list });

/** A list whose items are told apart by these fields; the API server refuses duplicates. */
export const keyedBy = (...keys: readonly string[]) => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

/** A list of scalars without duplicates. */
export const SET = { 'x-kubernetes-list-type': 'set' };

/** One of a closed list of words. */
export function oneOf<const Words extends readonly string[]>(words: Words, description: string, options: object = {}) {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: [...words], description, ...options });
}

/** What may become part of an object's name: Kubernetes' own pattern for a label. */
export const name = (description: string, maxLength = 63) =>
  Type.String({
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    meaning: 'lower-case letters, digits and inner hyphens',
    minLength: 1,
    maxLength,
    description,
  });

/** Name of an object that is referred to, such as a Secret: a DNS subdomain. */
export const objectName = (description: string) =>
  Type.String({
    pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
    meaning: 'a name of Kubernetes: lower-case letters, digits, inner hyphens and dots',
    minLength: 1,
    maxLength: 253,
    description,
  });

/** Name of a label, with or without the domain of whoever gives it. */
export const LABEL_NAME = '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$';

export const labelValue = (description: string) =>
  Type.String({
    pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$',
    meaning: 'the value of a label: letters, digits, inner hyphens, dots and underscores',
    maxLength: 63,
    description,
  });

/** A key of a Secret in the program's own namespace. */
export const secretKey = (description: string, example: string) =>
  fields(description, {
    name: objectName('Name of the secret.'),
    key: Type.String({
      pattern: '^[-._a-zA-Z0-9]+$',
      meaning: 'letters, digits, dots, hyphens and underscores',
      minLength: 1,
      maxLength: 253,
      description: `Key in it, such as \`${example}\`.`,
    }),
  });

/** One line of text. */
export const text = (description: string, maxLength = 253) =>
  Type.String({
    pattern: '^[^\\x00-\\x1f\\x7f]*$',
    meaning: 'one line without control characters',
    minLength: 1,
    maxLength,
    description,
  });

/** A number from 0 to 1. */
export const fraction = (description: string, options: object = {}) =>
  Type.Number({ minimum: 0, maximum: 1, description, ...options });

/** An instant, RFC 3339: the API server's idea of `date-time` is wider than that of any other reader. */
export const instant = (description: string) =>
  Type.String({
    format: 'date-time',
    pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`,
    meaning: 'an instant such as 2026-11-23T02:00:00Z',
    maxLength: 64,
    description,
  });

/** An amount as Kubernetes takes it: text, or a whole number. */
export const quantity = (description: string, options: object = {}) =>
  Type.Unsafe<string | number>({
    'x-kubernetes-int-or-string': true,
    pattern: QUANTITY,
    meaning: 'a quantity such as 500m, 2 or 2Gi',
    maxLength: 24,
    minimum: 0,
    description,
    ...options,
  });

/** A count that grows; 64 bits wide. */
export const count = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

/** Kubernetes' standard conditions, one of each type. */
export function conditions(maxItems = 16) {
  const condition = fields('A statement about the object.', {
    type: Type.String({ maxLength: 316, description: 'What is stated, such as `Ready`.' }),
    status: oneOf(['True', 'False', 'Unknown'], 'Whether it is so.'),
    observedGeneration: Type.Optional(count('Generation of the object that this was observed on.')),
    lastTransitionTime: instant('When the status last changed.'),
    reason: Type.String({
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      minLength: 1,
      maxLength: 1024,
      description: 'Why, in one word that programs can match.',
    }),
    message: Type.String({ maxLength: 4096, description: 'Why, in a sentence for people.' }),
  });
  return Type.Array(condition, { maxItems, description: 'What is known about the object now.', ...keyedBy('type') });
}

/** An object of these fields. */
export function fields<const Properties extends Record<string, TSchema>>(
  description: string,
  properties: Properties,
  options: object = {},
) {
  return Type.Object(properties, { description, ...options });
}
