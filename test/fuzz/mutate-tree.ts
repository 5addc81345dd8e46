import type { Random } from '../faults/random.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

/** A place in a tree that something can be done to. */
interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

const HOSTILE_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '<<', '', ' ', '0', '-1'];

const NUMBERS = [
  0,
  -0,
  -1,
  0.1,
  0.5,
  1,
  1.5,
  5e-324,
  1e-9,
  100,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 63,
  2 ** 64,
  1e21,
  1.797_693_134_862_315_7e308,
  -1e308,
];

const DEEP = [10, 100, 1000];
const MANY = [2, 20, 300];

/** Changes a value in place (a tree of records, lists and scalars) in one way; the root stays a record. */
export function mutateTree(root: Record<string, unknown>, random: Random): void {
  const places = placesOf(root);
  if (places.length === 0) return put(root, hostileKey(random), scalar(random));
  const { parent, key } = random.pick(places);
  const value = at(parent, key);
  random.pick<() => void>([
    () => remove(parent, key),
    () => put(parent, key, scalar(random)),
    () => put(parent, key, scalar(random)),
    () => put(parent, key, otherShape(value, random)),
    () => put(parent, key, at(...placeOf(random.pick(places)))),
    () => duplicate(parent, key, random),
    () => rename(parent, key, random),
    () => put(isContainer(value) ? value : parent, hostileKey(random), random.pick([scalar(random), {}, [], value])),
    () => put(parent, key, nested(random)),
    () => put(parent, key, crooked(value, random)),
  ])();
}

/** Any scalar that a manifest can hold. */
function scalar(random: Random): unknown {
  return random.pick<() => unknown>([
    () => random.pick(HOSTILE_TEXTS),
    () => random.pick(NUMBERS),
    () => random.between(-1_000_000, 1_000_000),
    () => random.pick([true, false, null]),
    () => random.pick([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
    () => String.fromCharCode(...Array.from({ length: random.between(0, 12) }, () => random.between(0, 0xffff))),
  ])();
}

function otherShape(value: unknown, random: Random): unknown {
  return random.pick<unknown>([
    [value],
    { value },
    [[]],
    {},
    [],
    [value, value],
    isContainer(value) ? 'text' : String(value),
    { [hostileKey(random)]: value },
  ]);
}

function nested(random: Random): unknown {
  const asList = random.next() < 0.5;
  let value: unknown = scalar(random);
  for (let depth = random.pick(DEEP); depth > 0; depth -= 1) value = asList ? [value] : { spec: value };
  return value;
}

/** The value, but for a small thing. */
function crooked(value: unknown, random: Random): unknown {
  if (typeof value === 'number') return random.pick([-value, value * 1e6, value + 0.5, `${value}`, 1 / value]);
  if (typeof value === 'boolean') return random.pick([!value, String(value), Number(value)]);
  if (typeof value !== 'string') return value;
  const position = random.between(0, value.length);
  const hostile = random.pick(HOSTILE_TEXTS);
  return random.pick([
    value.slice(0, position) + hostile + value.slice(position),
    value.slice(0, position),
    value.toUpperCase(),
    value.repeat(random.pick(MANY)),
    Array.from(value).reverse().join(''),
    ` ${value}`,
    `${value}\n`,
  ]);
}

function duplicate(parent: Place['parent'], key: Place['key'], random: Random): void {
  const copies = Array.from({ length: random.pick(MANY) }, () => at(parent, key));
  if (Array.isArray(parent)) parent.splice(Number(key), 0, ...copies);
  else put(parent, `${String(key)}${random.pick(['s', '_', 'Id', '2'])}`, at(parent, key));
}

function rename(parent: Place['parent'], key: Place['key'], random: Random): void {
  const value = at(parent, key);
  remove(parent, key);
  const name = String(key);
  put(
    parent,
    random.pick([hostileKey(random), name.toUpperCase(), name.slice(1), `${name}x`, random.pick(HOSTILE_TEXTS)]),
    value,
  );
}

function hostileKey(random: Random): string {
  return random.pick(HOSTILE_KEYS);
}

function placesOf(root: unknown): Place[] {
  const places: Place[] = [];
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (!isContainer(value) || seen.has(value)) return;
    seen.add(value);
    for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
      places.push({ parent: value, key });
      visit(at(value, key));
    }
  };
  visit(root);
  return places;
}

function placeOf({ parent, key }: Place): [Place['parent'], Place['key']] {
  return [parent, key];
}

function isContainer(value: unknown): value is Place['parent'] {
  return typeof value === 'object' && value !== null;
}

function at(parent: Place['parent'], key: Place['key']): unknown {
  return Object.getOwnPropertyDescriptor(parent, key)?.value;
}

/** As data, whatever the name: an assignment to `__proto__` would set the prototype. */
function put(parent: Place['parent'], key: Place['key'], value: unknown): void {
  // What would hold itself, and so could not be written, is left out.
  const safe = isContainer(value) && holds(value, parent) ? null : value;
  if (Array.isArray(parent) && typeof key === 'string') parent.push(safe);
  else Object.defineProperty(parent, key, { value: safe, writable: true, enumerable: true, configurable: true });
}

function remove(parent: Place['parent'], key: Place['key']): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function holds(value: Place['parent'], sought: unknown): boolean {
  return value === sought || placesOf(value).some(({ parent, key }) => parent === sought || at(parent, key) === sought);
}
