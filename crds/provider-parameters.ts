import { type TSchema, Type } from 'typebox';
import type { Rule } from '../base/schema/fields.ts';
import type { Parameters } from '../providers/parameters.ts';

/*
 * A structural schema cannot say "these fields for this type": one object has the fields of all providers, and rules
 * over `self.type` say which of them go together.
 */

interface Provider {
  readonly type: string;
  readonly parameters: Parameters;
}

/** The fields of all providers; required are those without which none can do. */
export function providerFields(providers: readonly Provider[]): Record<string, TSchema> {
  const union: Record<string, TSchema> = {};
  for (const { type, parameters } of providers) {
    for (const [field, schema] of Object.entries(parameters.fields)) {
      if ('default' in schema) throw new Error(`${field} of ${type} has a default, which would reach other types`);
      if (field in union && JSON.stringify(union[field]) !== JSON.stringify(schema)) {
        throw new Error(`${field} of ${type} differs from that of another type`);
      }
      const isForAll = providers.every((provider) => requiredBy(provider).includes(field));
      union[field] ??= isForAll ? schema : Type.Optional(schema);
    }
  }
  return union;
}

/**
 * Which fields a type takes and needs, and what its provider says of them.
 * @param noun what has the type, such as `connector`
 * @param place field of it that has the parameters, such as `config`; undefined where it has them itself
 */
export function providerRules(noun: string, place: string | undefined, providers: readonly Provider[]): Rule[] {
  const path = place === undefined ? '' : `.${place}`;
  return [
    ...Object.keys(providerFields(providers)).flatMap((field) => ownership(noun, path, field, providers)),
    ...providers.flatMap((provider) => [
      ...(provider.parameters.rules ?? []),
      ...required(noun, path, provider, providers),
    ]),
  ];
}

/** A field belongs to the types whose providers read it. */
function ownership(noun: string, path: string, field: string, providers: readonly Provider[]): Rule[] {
  const owners = providers.filter(({ parameters }) => field in parameters.fields);
  const isForOthers = owners.some(({ parameters }) => parameters.ignoredElsewhere?.includes(field));
  if (isForOthers || owners.length === providers.length) return [];
  const types = owners.map(({ type }) => type);
  return [
    {
      rule: `!has(self${path}.${field}) || ${types.map((type) => `self.type == '${type}'`).join(' || ')}`,
      message: `${field} is for ${noun}s of type ${types.join(' or ')} only`,
      fieldPath: `${path}.${field}`,
    },
  ];
}

function required(noun: string, path: string, provider: Provider, providers: readonly Provider[]): Rule[] {
  const { type } = provider;
  const needed = requiredBy(provider).filter((field) => providers.some((other) => !requiredBy(other).includes(field)));
  if (needed.length === 0) return [];
  const all = needed.map((field) => `has(self${path}.${field})`).join(' && ');
  const [last = '', ...others] = needed.toReversed();
  const list = others.length === 0 ? last : `${others.toReversed().join(', ')} and ${last}`;
  return [
    {
      rule: `self.type != '${type}' || ${needed.length === 1 ? all : `(${all})`}`,
      message: `a ${type} ${noun} needs ${list}`,
      fieldPath: path === '' ? `.${needed[0]}` : path,
    },
  ];
}

function requiredBy({ parameters }: Provider): readonly string[] {
  return (Type.Object({ ...parameters.fields }) as { required?: string[] }).required ?? [];
}
