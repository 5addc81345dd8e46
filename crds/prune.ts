import { nearest } from '../base/text/spelling.ts';
import type { FieldPath, Finding } from './fault.ts';
import type { StructuralSchema } from './structural.ts';

/** A field that the schema does not know, and the one that was probably meant. */
export interface UnknownField extends Finding {
  readonly meant?: string;
}

/**
 * Copies a value without what the schema does not know, as the API server does before it looks at it: unknown
 * fields are dropped and reported, and a null is dropped where there is a default to take its place.
 */
export function prune(schema: StructuralSchema, value: unknown, path: FieldPath, unknown: UnknownField[]): unknown {
  if (schema.type === 'array' && Array.isArray(value)) {
    return value.map((item, index) => (schema.items ? prune(schema.items, item, [...path, index], unknown) : item));
  }
  // JSON, in which a manifest is kept, has no negative nought.
  if (value === 0) return 0;
  if (schema.type !== 'object' || !isRecord(value)) return value;
  const { properties, additionalProperties } = schema;
  if (properties === undefined && additionalProperties === undefined) return value;
  const kept: Record<string, unknown> = {};
  for (const [field, item] of Object.entries(value)) {
    const child =
      (properties && Object.hasOwn(properties, field) ? properties[field] : undefined) ?? additionalProperties;
    if (child === undefined) unknown.push(unknownField([...path, field], field, properties ?? {}, value));
    else if (item !== null || child.default === undefined) kept[field] = prune(child, item, [...path, field], unknown);
  }
  return kept;
}

function unknownField(path: FieldPath, field: string, properties: object, siblings: object): UnknownField {
  const known = Object.keys(properties);
  const meant = nearest(
    field,
    known.filter((name) => !Object.hasOwn(siblings, name)),
  );
  const choices = known.length <= 12 ? `; there are ${known.join(', ')}` : '';
  return {
    path,
    reason: `is not a field here${meant === undefined ? choices : ''}`,
    ...(meant === undefined ? {} : { suggestion: meant, meant }),
    class: 'admission',
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
