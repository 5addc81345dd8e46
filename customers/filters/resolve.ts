import { Value } from 'typebox/value';
import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import type { FilterDefinition, FilterProgram, ParameterFault } from './filter.ts';
import { FILTERS } from './index.ts';
import { withMarketplaces } from './marketplaces.ts';
import type { Predicate } from './predicate.ts';

/** A filter as the manifest has it. */
export interface FilterManifest {
  readonly filterId?: string;
  readonly type: string;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
}

/** A filter in its place in a chain. */
export interface ChainedFilter extends FilterManifest {
  readonly filterId: string;
  readonly order: number;
}

/** What of a program says whom its filters let through. */
export interface FilteredProgram extends FilterProgram {
  readonly filterChain: readonly ChainedFilter[];
}

export interface ResolvedFilter {
  readonly definition: FilterDefinition;
  /** With the defaults filled in, and checked. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * Finds the rule that a filter means by its type and the names of its parameters, and fills in their defaults.
 * @throws HF_MANIFEST_INVALID naming the filter and the parameter when they are unknown, mixed, missing or wrong
 */
export function resolveFilter(filter: FilterManifest): ResolvedFilter {
  const resolved = resolve(filter);
  if ('definition' in resolved) return resolved;
  throw refused(filter, resolved);
}

/**
 * The condition that a filter of this program stands for.
 * @throws HF_MANIFEST_INVALID, HF_EXPRESSION_INVALID
 */
export function predicateOf(filter: FilterManifest, program: FilterProgram): Predicate {
  const { definition, parameters } = resolveFilter(filter);
  const fault = definition.fault?.(parameters, program);
  if (fault !== undefined) throw refused(filter, fault);
  try {
    return withMarketplaces(definition.predicate(parameters, program), program.marketplaces);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw new HoldfastError(error.code, `filter ${filter.filterId ?? filter.type}: ${error.message}`, { cause: error });
  }
}

/** What is wrong with the parameters of a filter, or undefined; `parameter` is empty when it is their whole. */
export function filterFault(filter: FilterManifest, program: FilterProgram): ParameterFault | undefined {
  const resolved = resolve(filter);
  if (!('definition' in resolved)) return resolved;
  const fault = resolved.definition.fault?.(resolved.parameters, program);
  if (fault !== undefined) return fault;
  try {
    resolved.definition.predicate(resolved.parameters, program);
    return undefined;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { parameter: resolved.definition.rule, message: error.message };
  }
}

function resolve({ type, parameters = {} }: FilterManifest): ResolvedFilter | ParameterFault {
  const candidates = FILTERS.filter((definition) => definition.type === type);
  if (candidates.length === 0) {
    const types = [...new Set(FILTERS.map((definition) => definition.type))];
    return {
      parameter: '',
      message: `unknown type "${type}"${meant(nearest(type, types))}; there are ${types.join(', ')}`,
    };
  }
  const known = candidates.flatMap(namesOf);
  const given = Object.keys(parameters);
  for (const parameter of given) {
    if (known.includes(parameter)) continue;
    const list = known.length === 0 ? `${type} takes none` : `${type} takes ${known.join(', ')}`;
    return { parameter, message: `is not a parameter of ${type}${meant(nearest(parameter, known))}; ${list}` };
  }
  const definition = candidates.find((candidate) => given.every((name) => namesOf(candidate).includes(name)));
  if (definition === undefined) return mixed(given, candidates);
  if (candidates.length > 1 && given.length === 0) {
    const rules = candidates.map((candidate) => `${candidate.rule} (${namesOf(candidate).join(', ')})`);
    return { parameter: '', message: `parameters are needed to tell which rule is meant: ${rules.join('; ')}` };
  }
  return checked(definition, parameters);
}

function mixed(given: readonly string[], candidates: readonly FilterDefinition[]): ParameterFault {
  const owner = (name: string) => candidates.find((candidate) => namesOf(candidate).includes(name))?.rule ?? '';
  const first = owner(given[0] ?? '');
  const parameter = given.find((name) => owner(name) !== first) ?? '';
  return {
    parameter,
    message: `belongs to the rule ${owner(parameter)} and ${given[0]} to ${first}; make a filter of each`,
  };
}

function checked(definition: FilterDefinition, parameters: Readonly<Record<string, unknown>>) {
  const complete = Value.Default(definition.parameters, structuredClone(parameters)) as Record<string, unknown>;
  const error = Value.Errors(definition.parameters, complete)[0];
  if (error === undefined) return { definition, parameters: complete };
  if (error.keyword === 'required') {
    const { requiredProperties } = error.params;
    return { parameter: requiredProperties[0] ?? '', message: `is required by the rule ${definition.rule}` };
  }
  const allowed =
    error.keyword === 'enum' ? `: ${(error.params as { allowedValues: string[] }).allowedValues.join(', ')}` : '';
  return { parameter: error.instancePath.slice(1), message: `${error.message}${allowed}` };
}

function namesOf(definition: FilterDefinition): string[] {
  return Object.keys((definition.parameters as { properties?: object }).properties ?? {});
}

function meant(word: string | undefined): string {
  return word === undefined ? '' : ` (did you mean ${word}?)`;
}

function refused(filter: FilterManifest, fault: ParameterFault): HoldfastError {
  const name = `filter ${filter.filterId ?? filter.type}`;
  const where = fault.parameter === '' ? '' : `${fault.parameter} `;
  return new HoldfastError('HF_MANIFEST_INVALID', `${name}: ${where}${fault.message}`);
}
