import type { TSchema } from 'typebox';
import type { Rule } from '../base/schema/fields.ts';
import type { FilterDefinition } from '../customers/filters/filter.ts';
import { FILTERS } from '../customers/filters/index.ts';

/*
 * A structural schema cannot say "these fields for this type": `parameters` is one object with the fields of
 * all filters, and rules over `self.type` say which of them go together. Defaults stay with the filters, since
 * a structural default would give every filter every parameter.
 */

/** Filter types, each once, in the order of the definitions. */
export const FILTER_TYPES = [...new Set(FILTERS.map((definition) => definition.type))];

/** The fields of all filters' parameters, none required, without defaults. */
export function parameterFields(definitions: readonly FilterDefinition[] = FILTERS): Record<string, TSchema> {
  const union: Record<string, TSchema> = {};
  for (const definition of definitions) {
    for (const [parameter, schema] of Object.entries(propertiesOf(definition))) {
      const { default: preset, description, ...rest } = schema as TSchema & { default?: unknown; description?: string };
      const ofRule = `${definition.rule}: ${description ?? parameter}`;
      const field = {
        ...rest,
        description: preset === undefined ? ofRule : `${ofRule} Default ${JSON.stringify(preset)}.`,
      };
      if (parameter in union && !sameShape(union[parameter], field)) {
        throw new Error(`parameter ${parameter} of ${definition.rule} differs from the one of another filter`);
      }
      union[parameter] ??= field;
    }
  }
  return union;
}

/** Rules for one filter of the chain: which parameters its type takes and needs. */
export function parameterRules(definitions: readonly FilterDefinition[] = FILTERS): Rule[] {
  const types = Map.groupBy(definitions, (definition) => definition.type);
  return [
    ...ownership(definitions),
    ...[...types].flatMap(([type, variants]) => (variants.length > 1 ? oneVariant(type, variants) : [])),
    ...definitions.flatMap((definition) => required(definition, (types.get(definition.type) ?? []).length > 1)),
  ];
}

const given = (parameter: string) => `has(self.parameters.${parameter})`;
const anyGiven = (definition: FilterDefinition) => Object.keys(propertiesOf(definition)).map(given).join(' || ');

/** Each parameter belongs to the types whose filters have it. */
function ownership(definitions: readonly FilterDefinition[]): Rule[] {
  const owners = new Map<string, Set<string>>();
  for (const definition of definitions) {
    for (const parameter of Object.keys(propertiesOf(definition))) {
      owners.set(parameter, (owners.get(parameter) ?? new Set()).add(definition.type));
    }
  }
  return [...owners].map(([parameter, types]) => ({
    rule: `!has(self.parameters) || !${given(parameter)} || self.type in ${literalList([...types])}`,
    message: `${parameter} is a parameter of type ${[...types].join(' or ')} only`,
    fieldPath: `.parameters.${parameter}`,
  }));
}

/** Filters that share a type are told apart by their parameters: those of exactly one must be given. */
function oneVariant(type: string, variants: readonly FilterDefinition[]): Rule[] {
  const menu = variants
    .map((variant) => `${variant.rule} (${Object.keys(propertiesOf(variant)).join(', ')})`)
    .join('; ');
  const named = variants
    .flatMap((variant) => Object.keys(propertiesOf(variant)).map((parameter) => [parameter, variant.rule] as const))
    .map(([parameter, rule]) => `(${given(parameter)} ? ' ${parameter} (${rule})' : '')`)
    .join(' + ');
  return [
    {
      rule: `self.type != '${type}' || (has(self.parameters) && (${variants.map(anyGiven).join(' || ')}))`,
      message: `a ${type} needs the parameters of one rule: ${menu}`,
      fieldPath: '.parameters',
    },
    {
      rule:
        `self.type != '${type}' || !has(self.parameters) || ` +
        `[${variants.map(anyGiven).join(', ')}].filter(present, present).size() <= 1`,
      message: `parameters of different rules are mixed; give those of one: ${menu}`,
      // Not a list to join: the API server reckons that to cost a hundred times its limit.
      messageExpression: `'parameters of different rules are mixed:' + ${named}`,
      fieldPath: '.parameters',
    },
  ];
}

/** Parameters without which a filter cannot work. */
function required(definition: FilterDefinition, isVariant: boolean): Rule[] {
  const schema = definition.parameters as { required?: string[] };
  return (schema.required ?? [])
    .filter((parameter) => propertiesOf(definition)[parameter]?.default === undefined)
    .map((parameter) => ({
      rule: isVariant
        ? `!has(self.parameters) || !(${anyGiven(definition)}) || ${given(parameter)}`
        : `self.type != '${definition.type}' || (has(self.parameters) && ${given(parameter)})`,
      message: `${definition.rule} needs the parameter ${parameter}`,
      fieldPath: '.parameters',
    }));
}

function propertiesOf(definition: FilterDefinition): Record<string, TSchema & { default?: unknown }> {
  return (definition.parameters as { properties?: Record<string, TSchema> }).properties ?? {};
}

function sameShape(left: unknown, right: unknown): boolean {
  return shapeOf(left) === shapeOf(right);
}

function shapeOf(schema: unknown): string {
  return JSON.stringify({ ...(schema as object), description: '' });
}

const literalList = (words: readonly string[]) => `[${words.map((word) => `'${word}'`).join(', ')}]`;
