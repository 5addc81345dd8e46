import { type CelValue, type CompiledRule, compileRule } from '../base/cel/rule.ts';
import type { Rule } from '../base/schema/fields.ts';
import { type FieldPath, type Finding, isWithin } from './fault.ts';
import { isRecord, type UnknownField } from './prune.ts';
import type { StructuralSchema } from './structural.ts';

/** What was found before the rules run: they are silent about fields that are already at fault. */
export interface Earlier {
  readonly findings: readonly Finding[];
  readonly unknown: readonly UnknownField[];
}

/**
 * Applies what a schema says beyond the keywords of JSON Schema: unique list entries and CEL rules, those about
 * updates only where there is an old value.
 */
export function checkRules(
  schema: StructuralSchema,
  value: unknown,
  old: unknown,
  path: FieldPath,
  earlier: Earlier,
): Finding[] {
  const findings: Finding[] = duplicates(schema, value, path);
  if (schema.properties !== undefined && isRecord(value)) {
    for (const [field, child] of Object.entries(schema.properties)) {
      if (!Object.hasOwn(value, field)) continue;
      const before = isRecord(old) ? old[field] : undefined;
      findings.push(...checkRules(child, value[field], before, [...path, field], earlier));
    }
  }
  if (schema.items !== undefined && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      findings.push(...checkRules(schema.items, item, undefined, [...path, index], earlier));
    }
  }
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    const found = applyRule(rule, schema, value, old, path, earlier);
    if (found !== undefined) findings.push(found);
  }
  return findings;
}

function applyRule(
  rule: Rule,
  schema: StructuralSchema,
  value: unknown,
  old: unknown,
  path: FieldPath,
  earlier: Earlier,
) {
  const compiled = compileRule(rule.rule);
  if (compiled.isTransition && old === undefined) return undefined;
  if (isMoot(rule, path, earlier)) return undefined;
  const self = celValue(schema, value);
  const before = old === undefined ? undefined : celValue(schema, old);
  if (holds(compiled, self, before)) return undefined;
  const finding: Finding = {
    path: [...path, ...(rule.fieldPath ?? '').split('.').filter((step) => step !== '')],
    reason: messageOf(rule, self, before),
    class: 'admission',
  };
  return finding;
}

/** A rule that fails to evaluate refuses, as in Kubernetes. */
function holds(rule: CompiledRule, self: CelValue, old: CelValue | undefined): boolean {
  try {
    return rule.evaluate(self, old) === true;
  } catch {
    return false;
  }
}

function messageOf(rule: Rule, self: CelValue, old: CelValue | undefined): string {
  const message = textOf(rule.messageExpression, self, old) ?? rule.message ?? `does not satisfy ${rule.rule}`;
  const detail = textOf(rule.detail, self, old);
  return detail === undefined ? message : `${message}: ${detail}`;
}

function textOf(expression: string | undefined, self: CelValue, old: CelValue | undefined): string | undefined {
  if (expression === undefined) return undefined;
  try {
    const text = compileRule(expression).evaluate(self, old);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether something that the rule reads is at fault already, so that a second complaint would only repeat the
 * first: the value itself, one that it lies in, or a field below that the rule names all the way.
 */
function isMoot(rule: Rule, path: FieldPath, { findings, unknown }: Earlier): boolean {
  const named = new Set([...rule.rule.matchAll(/(?<=\w)\.(\w+)/g)].map((match) => match[1]));
  const reads = (found: FieldPath, last: string | number | undefined) =>
    isWithin(found, path) &&
    [...found.slice(path.length, -1), last].every((step) => typeof step !== 'string' || named.has(step));
  return (
    findings.some((found) => isWithin(path, found.path) || reads(found.path, found.path.at(-1))) ||
    unknown.some((found) => found.meant !== undefined && reads(found.path, found.meant))
  );
}

function duplicates(schema: StructuralSchema, value: unknown, path: FieldPath): Finding[] {
  const kind = schema['x-kubernetes-list-type'];
  if (!Array.isArray(value) || (kind !== 'map' && kind !== 'set')) return [];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Map<string, number>();
  const findings: Finding[] = [];
  for (const [index, item] of value.entries()) {
    if (kind === 'map' && !isRecord(item)) continue;
    const parts: unknown[] = kind === 'set' ? [item] : keys.map((key) => (item as Record<string, unknown>)[key]);
    if (parts.includes(undefined)) continue;
    const first = seen.get(JSON.stringify(parts));
    if (first === undefined) {
      seen.set(JSON.stringify(parts), index);
      continue;
    }
    findings.push({
      path: [...path, index, ...(kind === 'map' ? keys.slice(0, 1) : [])],
      reason: `${parts.map((part) => JSON.stringify(part)).join(', ')} is a duplicate: entry ${first} has it already`,
      class: 'admission',
    });
  }
  return findings;
}

/** A value as CEL sees it in Kubernetes: the schema, not the digits, says what is an integer. */
function celValue(schema: StructuralSchema | undefined, value: unknown): CelValue {
  if (Array.isArray(value)) return value.map((item) => celValue(schema?.items, item));
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        celValue(schema?.properties?.[key] ?? schema?.additionalProperties, item),
      ]),
    );
  }
  if (typeof value === 'number' && schema?.type === 'integer' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && schema?.format === 'date-time') return new Date(value);
  return value as CelValue;
}
