import type { Rule } from '../base/schema/fields.ts';

/** A structural schema as Kubernetes wants it, plus `meaning` (see base/schema/fields.ts), which is for us only. */
export interface StructuralSchema {
  /** Absent where text and whole numbers are taken alike. */
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly description?: string;
  readonly meaning?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/**
 * Makes a structural schema of a TypeBox one: plain data; required is what is neither optional nor defaulted;
 * integers and numbers have their format; a default of `{}` is written out, since the API server holds it
 * against the rules of the object before it fills in the defaults within.
 */
export function structural(schema: object): StructuralSchema {
  return visit(JSON.parse(JSON.stringify(schema)) as Loose);
}

/** The schema as it is published: without what only Holdfast reads, and for readers who know no `x-kubernetes-*`. */
export function published(schema: StructuralSchema): StructuralSchema {
  const { meaning: _meaning, 'x-kubernetes-validations': rules, ...rest } = schema;
  const shown = rules?.map(({ detail: _detail, ...rule }) => rule);
  const either = schema['x-kubernetes-int-or-string'] ? { anyOf: [{ type: 'integer' }, { type: 'string' }] } : {};
  const whole = { ...either, ...rest, ...(shown === undefined ? {} : { 'x-kubernetes-validations': shown }) };
  return mapChildren(whole, published);
}

type Loose = { -readonly [Key in keyof StructuralSchema]: StructuralSchema[Key] } & { maximum?: number };

const INT32_MAX = 2_147_483_647;

function visit(schema: Loose): StructuralSchema {
  const result: Loose = { ...mapChildren(schema, visit) };
  const required = (schema.required ?? []).filter((field) => schema.properties?.[field]?.default === undefined);
  if (required.length > 0) result.required = required;
  else delete result.required;
  if (isEmptyObject(schema.default)) result.default = defaultOf(result);
  if (schema.type === 'integer') result.format = (schema.maximum ?? INT32_MAX) > INT32_MAX ? 'int64' : 'int32';
  if (schema.type === 'number') result.format = 'double';
  return result;
}

function defaultOf(schema: StructuralSchema): unknown {
  if (schema.properties === undefined || !isEmptyObject(schema.default)) return schema.default;
  const entries = Object.entries(schema.properties).map(([field, child]) => [field, defaultOf(child)] as const);
  return Object.fromEntries(entries.filter(([, preset]) => preset !== undefined));
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function mapChildren(
  schema: StructuralSchema,
  change: (child: StructuralSchema) => StructuralSchema,
): StructuralSchema {
  const result: Loose = { ...schema };
  if (schema.properties !== undefined) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, child]) => [key, change(child)]),
    );
  }
  if (schema.items !== undefined) result.items = change(schema.items);
  if (schema.additionalProperties !== undefined) result.additionalProperties = change(schema.additionalProperties);
  return result;
}
