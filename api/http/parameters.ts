import { type Static, type TObject, Type } from 'typebox';
import { nearest } from '../../base/text/spelling.ts';
import { fieldName } from '../../crds/fault.ts';
import { compileKeywords } from '../../crds/keywords.ts';
import { type StructuralSchema, structural } from '../../crds/structural.ts';
import { invalid, type ParameterFault } from './problem.ts';
import { pathParameters } from './schemas.ts';

/** Reads the query of a URL, checked and with its defaults. @throws HF_REQUEST_INVALID naming each parameter at fault */
export type QueryReader<Schema extends TObject> = (query: string) => Static<Schema>;

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;

/** Compiles a schema of query parameters, once. */
export function queryReader<Schema extends TObject>(schema: Schema): QueryReader<Schema> {
  const shape = structural(schema);
  const known = shape.properties ?? {};
  const check = compileKeywords(shape);
  return (query) => {
    const faults: ParameterFault[] = [];
    const values: Record<string, unknown> = Object.create(null);
    for (const [parameter, text] of new URLSearchParams(query)) {
      const definition = Object.hasOwn(known, parameter) ? known[parameter] : undefined;
      if (definition === undefined) faults.push({ parameter: shown(parameter), reason: unknown(parameter, known) });
      else if (parameter in values) faults.push({ parameter, reason: 'is given more than once' });
      else values[parameter] = typed(text, definition);
    }
    faults.push(...faultsOf(check, values).map((fault) => withLostPlus(fault, values)));
    if (faults.length > 0) throw invalid(faults);
    return values as Static<Schema>;
  };
}

/** A `+` in an address means a blank, which is what is left of a zone such as +01:00. */
function withLostPlus(fault: ParameterFault, values: Readonly<Record<string, unknown>>): ParameterFault {
  const value = values[fault.parameter];
  const lost = typeof value === 'string' && /:\d\d(?:\.\d+)? \d\d:?\d\d$/.test(value);
  return lost ? { ...fault, reason: `${fault.reason}; in an address + is written %2B` } : fault;
}

let checkPath: ReturnType<typeof compileKeywords> | undefined;

/** Checks what the path names. @throws HF_REQUEST_INVALID */
export function requirePath(parameters: Readonly<Record<string, string | string[] | undefined>>): void {
  checkPath ??= compileKeywords(structural(Type.Partial(Type.Object(pathParameters))));
  const faults = faultsOf(checkPath, { ...parameters });
  if (faults.length > 0) throw invalid(faults);
}

function faultsOf(check: ReturnType<typeof compileKeywords>, values: unknown): ParameterFault[] {
  return check(values).map(({ path, reason, suggestion }) => ({
    parameter: fieldName(path),
    reason: suggestion === undefined ? reason : `${reason} (did you mean ${suggestion}?)`,
  }));
}

/** A text as what its schema wants, where it is one. */
function typed(text: string, { type }: StructuralSchema): unknown {
  return (type === 'integer' || type === 'number') && NUMBER.test(text) ? Number(text) : text;
}

function unknown(parameter: string, known: object): string {
  const names = Object.keys(known);
  const meant = nearest(parameter, names);
  if (meant !== undefined) return `is not a parameter here (did you mean ${meant}?)`;
  return `is not a parameter here; ${names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`}`;
}

const LONGEST_SHOWN = 40;

function shown(parameter: string): string {
  return parameter.length > LONGEST_SHOWN ? `${parameter.slice(0, LONGEST_SHOWN)}…` : parameter;
}
