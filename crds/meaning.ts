import { HoldfastError } from '../base/errors.ts';
import { parseSchedule } from '../base/schedules/index.ts';
import { amountOf } from '../base/schema/quantity.ts';
import { nearest } from '../base/text/spelling.ts';
import { modelTokenVariable } from '../contract/credentials.ts';
import { PIPELINES, type Pipelines, pipelinesOf, scheduleOf, schedulesIn } from '../contract/pipelines.ts';
import { filterFault } from '../customers/filters/resolve.ts';
import type { Finding } from './fault.ts';
import type { RetentionProgramSpec } from './retention-program.ts';
import { tooLarge } from './spec-size.ts';

/** What only reading the text of a valid spec can find: schedules, zones and filters that mean nothing. */
export function checkMeaning(spec: RetentionProgramSpec, table: Pipelines = PIPELINES): Finding[] {
  const pipelines = pipelinesOf('program', table);
  const excess = tooLarge(spec);
  return excess === undefined
    ? [
        ...timing(spec, pipelines),
        ...replacing(spec, pipelines),
        ...processors(spec),
        ...tokens(spec),
        ...filters(spec),
      ]
    : [excess];
}

/** Kubernetes would refuse every pod. */
function processors({ execution: { cpu, cpuLimit } }: RetentionProgramSpec): Finding[] {
  if (cpuLimit === undefined || amountOf(cpuLimit) >= amountOf(cpu)) return [];
  return [runtime(['spec', 'execution', 'cpuLimit'], `is ${cpuLimit}, which is less than cpu, ${cpu}`)];
}

/** Models on different servers must not be given each other's token. */
function tokens({ scoringModels }: RetentionProgramSpec): Finding[] {
  const owners = new Map<string, string>();
  return scoringModels.flatMap(({ modelId, endpoint }, index) => {
    if (!/^https?:/.test(endpoint)) return [];
    const variable = modelTokenVariable(modelId);
    const other = owners.get(variable);
    if (other === undefined) owners.set(variable, modelId);
    const reason = `and the modelId ${other} have one variable for their tokens, ${variable}; name one of them otherwise`;
    return other === undefined ? [] : [runtime(['spec', 'scoringModels', index, 'modelId'], reason)];
  });
}

function timing(spec: RetentionProgramSpec, pipelines: Pipelines): Finding[] {
  const { timeZone } = spec;
  if (!isTimeZone(timeZone)) {
    const meant = nearest(timeZone, Intl.supportedValuesOf('timeZone'));
    return [runtime(['spec', 'timeZone'], `is "${timeZone}", which is not an IANA time zone`, meant)];
  }
  return schedulesIn(spec, pipelines).flatMap(({ schedule: text, field }) =>
    schedule(['spec', ...field], text, timeZone),
  );
}

/** A run that is ended half-way, and done again by another, would reach the same people twice. */
function replacing(spec: RetentionProgramSpec, pipelines: Pipelines): Finding[] {
  if (spec.concurrencyPolicy !== 'Replace') return [];
  const reaching = Object.keys(pipelines).filter(
    (name) => pipelines[name]?.reachesPeople && scheduleOf(name, spec, pipelines) !== undefined,
  );
  if (reaching.length === 0) return [];
  const reason = `is Replace, by which a ${reaching.join(' and a ')} under way would be ended and people be reached twice; write Forbid`;
  return [runtime(['spec', 'concurrencyPolicy'], reason, 'Forbid')];
}

function schedule(path: Finding['path'], text: string, timeZone: string): Finding[] {
  try {
    parseSchedule(text, timeZone);
    return [];
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return [runtime(path, error.message)];
  }
}

function isTimeZone(zone: string): boolean {
  try {
    return Boolean(Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

function filters(spec: RetentionProgramSpec): Finding[] {
  return spec.filterChain.flatMap((filter, index) => {
    const fault = filterFault(filter, spec);
    if (fault === undefined) return [];
    const path = ['spec', 'filterChain', index, 'parameters', ...(fault.parameter === '' ? [] : [fault.parameter])];
    return [runtime(path, fault.message)];
  });
}

function runtime(path: Finding['path'], reason: string, suggestion?: string): Finding {
  return { path, reason, ...(suggestion === undefined ? {} : { suggestion }), class: 'runtime' };
}
