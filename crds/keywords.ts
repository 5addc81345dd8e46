import { Ajv, type ErrorObject } from 'ajv';
import { scheduleFault } from '../base/schedules/index.ts';
import { nearest } from '../base/text/spelling.ts';
import type { FieldPath, Finding } from './fault.ts';
import { SCHEDULE } from './schedule-pattern.ts';
import type { StructuralSchema } from './structural.ts';

/** RFC 3339, as the API server reads it. */
const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Checks values against a schema, and fills in its defaults in place. */
export type KeywordCheck = (value: unknown) => Finding[];

/** Compiles the keywords of JSON Schema in a structural schema; `x-kubernetes-*` are for crds/rules.ts. */
export function compileKeywords(schema: StructuralSchema): KeywordCheck {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    strict: false,
    strictNumbers: true,
    // Our own schemas, which the tests of the CRDs check, and few objects: both would take longer than they save.
    meta: false,
    validateSchema: false,
    code: { optimize: false },
  });
  for (const format of ['int32', 'int64', 'double']) ajv.addFormat(format, true);
  ajv.addFormat('date-time', (text) => INSTANT.test(text) && isOnCalendar(text));
  ajv.removeKeyword('pattern');
  ajv.addKeyword({ keyword: INT_OR_STRING, schemaType: 'boolean', validate: isIntOrString, errors: false });
  ajv.addKeyword({ keyword: 'pattern', type: 'string', schemaType: 'string', compile: boundedPattern });
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : clearest(validate.errors ?? []).map((error) => finding(error, value)));
}

const INT_OR_STRING = 'x-kubernetes-int-or-string';

function isIntOrString(_wanted: boolean, value: unknown): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** A pattern looks at no text that is too long anyway: time may grow with the square of its length. */
function boundedPattern(pattern: string, schema: object) {
  const wanted = new RegExp(pattern, 'u');
  const { maxLength = Number.POSITIVE_INFINITY } = schema as StructuralSchema;
  // A character is up to two units.
  const most = 2 * maxLength;
  return (text: string) => text.length > most || wanted.test(text);
}

/** Keywords whose message says most, first. */
const CLARITY = ['type', INT_OR_STRING, 'enum', 'minLength', 'pattern'];

function rank({ keyword }: ErrorObject): number {
  return CLARITY.includes(keyword) ? CLARITY.indexOf(keyword) : CLARITY.length;
}

/** One error for each value: whoever mends the clearest sees the others go, too. */
function clearest(errors: readonly ErrorObject[]): ErrorObject[] {
  const best = new Map<string, ErrorObject>();
  for (const error of errors) {
    const missing = (error.params as { missingProperty?: string }).missingProperty;
    const place = missing === undefined ? error.instancePath : `${error.instancePath}/${missing}`;
    const other = best.get(place);
    if (other === undefined || rank(error) < rank(other)) best.set(place, error);
  }
  return [...best.values()];
}

function isOnCalendar(text: string): boolean {
  const midnight = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(Date.parse(text)) && midnight.toISOString().startsWith(text.slice(0, 10));
}

function finding(error: ErrorObject, root: unknown): Finding {
  const path = pathOf(error.instancePath, root);
  const schema = error.parentSchema as StructuralSchema;
  const made = (reason: string, suggestion?: string): Finding => ({
    path,
    reason,
    ...(suggestion === undefined ? {} : { suggestion }),
    class: 'admission',
  });
  const params = error.params as { limit?: number; missingProperty?: string; format?: string };
  switch (error.keyword) {
    case 'required': {
      const missing = params.missingProperty ?? '';
      const description = schema.properties?.[missing]?.description;
      return { ...made(`is required${description === undefined ? '' : `: ${description}`}`), path: [...path, missing] };
    }
    case 'type':
      return made(`expected ${expected(schema)}, not ${given(error.data)}`, rewritten(schema, error.data));
    case INT_OR_STRING:
      return typeof error.data === 'number'
        ? made(`is ${error.data}, a number with a fraction: write it as text`, JSON.stringify(String(error.data)))
        : made(`expected ${schema.meaning}, not ${given(error.data)}`);
    case 'enum':
      return made(
        `is ${given(error.data)}; it must be ${alternatives(schema.enum ?? [])}`,
        typeof error.data === 'string' ? nearest(error.data, schema.enum ?? []) : undefined,
      );
    case 'pattern':
      if (schema.pattern === SCHEDULE.pattern) return made(scheduleFault(error.data as string) ?? 'is no schedule');
      return made(`is ${given(error.data)}, which is not ${schema.meaning ?? `of the form ${schema.pattern}`}`);
    case 'format':
      return made(`is ${given(error.data)}, which is not an instant such as 2026-11-23T02:00:00Z`);
    case 'minLength':
      return made('must not be empty');
    case 'maxLength':
      return made(`is ${Array.from(error.data as string).length} characters long; at most ${params.limit} are allowed`);
    case 'minimum':
      return made(`is ${String(error.data)}; the least is ${params.limit}`);
    case 'maximum':
      return made(`is ${String(error.data)}; the most is ${params.limit}`);
    case 'minItems':
      return made(`needs at least ${params.limit} ${params.limit === 1 ? 'entry' : 'entries'}`);
    case 'maxItems':
    case 'maxProperties':
      return made(`has more than ${params.limit} entries`);
    default:
      return made(error.message ?? error.keyword);
  }
}

/** Turns a JSON pointer into a path, with list positions as numbers. */
function pathOf(pointer: string, root: unknown): FieldPath {
  let value = root;
  return pointer
    .split('/')
    .slice(1)
    .map((step) => {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
      const isItem = Array.isArray(value);
      value = (value as Record<string, unknown>)[key];
      return isItem ? Number(key) : key;
    });
}

const TYPE_WORDS = {
  object: 'an object with fields',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
} as const;

function expected(schema: StructuralSchema): string {
  return schema.enum === undefined ? TYPE_WORDS[schema.type ?? 'string'] : alternatives(schema.enum);
}

function alternatives(words: readonly string[]): string {
  return words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`;
}

/** A value in words, cut short. */
function given(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object with fields';
  if (typeof value === 'string') return `text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  return `${value as number | boolean}`;
}

/** The value as it should have been written, where that is plain. */
function rewritten(schema: StructuralSchema, value: unknown): string | undefined {
  if (schema.type === 'boolean' && typeof value === 'string' && /^(true|false)$/i.test(value))
    return value.toLowerCase();
  if ((schema.type === 'number' || schema.type === 'integer') && typeof value === 'string') {
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) return undefined;
    return schema.type === 'number' || Number.isInteger(number) ? String(number) : undefined;
  }
  if (schema.type === 'string' && typeof value === 'number') return JSON.stringify(String(value));
  if (schema.type === 'array' && schema.items?.type === typeof value) return `[${JSON.stringify(value)}]`;
  return undefined;
}
