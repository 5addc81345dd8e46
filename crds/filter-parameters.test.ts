import { expect, test } from '@jest/globals';
import { Type } from 'typebox';
import type { FilterDefinition } from '../customers/filters/filter.ts';
import { FILTERS } from '../customers/filters/index.ts';
import { FILTER_TYPES, parameterFields, parameterRules } from './filter-parameters.ts';

const definition = (rule: string, type: FilterDefinition['type'], parameters: FilterDefinition['parameters']) =>
  ({
    rule,
    type,
    parameters,
    description: rule,
    predicate: () => ({ op: 'and', predicates: [] }),
  }) satisfies FilterDefinition;

test('every parameter of every filter is a field, without a default that would reach other filters', () => {
  const union = parameterFields();
  for (const { parameters } of FILTERS) {
    const { properties = {} } = parameters as { properties?: object };
    expect(Object.keys(union)).toEqual(expect.arrayContaining(Object.keys(properties)));
  }
  expect(Object.values(union).filter((field) => 'default' in field)).toEqual([]);
  expect(FILTER_TYPES).toEqual(['trust', 'business-rule', 'eligibility', 'expression']);
});

test('two filters may share a parameter only when they mean the same by it', () => {
  const days = Type.Object({ days: Type.Optional(Type.Integer({ minimum: 1 })) });
  const other = Type.Object({ days: Type.Optional(Type.Integer({ minimum: 2 })) });
  expect(() => parameterFields([definition('a', 'eligibility', days), definition('b', 'trust', other)])).toThrow(
    /days of b/,
  );
  const shared = [definition('a', 'eligibility', days), definition('b', 'trust', days)];
  expect(Object.keys(parameterFields(shared))).toEqual(['days']);
  expect(parameterRules(shared).map(({ message }) => message)).toEqual([
    'days is a parameter of type eligibility or trust only',
  ]);
});
