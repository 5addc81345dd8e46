import { expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { text } from '../base/schema/fields.ts';
import type { Fields, Parameters } from '../providers/parameters.ts';
import { providerFields, providerRules } from './provider-parameters.ts';

const provider = (type: string, fields: Fields, more: Partial<Parameters> = {}) => ({
  type,
  parameters: { fields, ...more },
});

const table = text('A table.');
const region = Type.Optional(text('A region.'));
const LAKE = provider('lake', { table, region });
const MILL = provider('mill', { table, wheel: text('A wheel.'), stone: text('A stone.') });

const required = (...providers: Parameters_) =>
  (Type.Object(providerFields(providers)) as { required?: string[] }).required;
type Parameters_ = ReturnType<typeof provider>[];

test('a field is required of everybody only where no type can do without', () => {
  expect(required(MILL)).toEqual(['table', 'wheel', 'stone']);
  expect(required(LAKE, MILL)).toEqual(['table']);
});

test('a field is for the types that read it, and each type asks for its own', () => {
  expect(providerRules('connector', 'config', [LAKE, MILL]).map(({ rule, message }) => [rule, message])).toEqual([
    ["!has(self.config.region) || self.type == 'lake'", 'region is for connectors of type lake only'],
    ["!has(self.config.wheel) || self.type == 'mill'", 'wheel is for connectors of type mill only'],
    ["!has(self.config.stone) || self.type == 'mill'", 'stone is for connectors of type mill only'],
    [
      "self.type != 'mill' || (has(self.config.wheel) && has(self.config.stone))",
      'a mill connector needs wheel and stone',
    ],
  ]);
  const store = provider('store', { key: text('A key.') });
  expect(providerRules('featureStore', undefined, [LAKE, store]).at(-1)).toEqual({
    rule: "self.type != 'store' || has(self.key)",
    message: 'a store featureStore needs key',
    fieldPath: '.key',
  });
});

test('a field that others may have, too, has no rule; what a provider says itself is among them', () => {
  const rules = [{ rule: 'self.config.region != self.config.table', message: 'no' }];
  const lenient = provider('lake', { region }, { rules, ignoredElsewhere: ['region'] });
  expect(providerRules('connector', 'config', [lenient, provider('mill', {})])).toEqual(rules);
});

test('two types may share a field only when they mean the same by it, and none has a default', () => {
  const short = Type.Optional(text('A region.', 5));
  expect(() => providerFields([LAKE, provider('mill', { region: short })])).toThrow(/region of mill differs/);
  expect(Object.keys(providerFields([LAKE, provider('mill', { region })]))).toEqual(['table', 'region']);
  const preset = Type.Integer({ default: 1 });
  expect(() => providerFields([provider('mill', { preset })])).toThrow(/default/);
});
