import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './world.ts';

export const EXAMPLE = join(ROOT, 'examples', 'churn-prevention.yaml');

/** The example over a business of 500 customers, with tasks small enough that several run at once on two processors. */
export function smallProgram(name: string, change: object = {}): { readonly spec: any } & Record<string, unknown> {
  const program = parse(readFileSync(EXAMPLE, 'utf8'));
  const { spec } = program;
  spec.dataConnectors[0].config.sample.customers = 500;
  return {
    ...program,
    metadata: { name },
    spec: {
      ...spec,
      programId: name,
      // Nothing of it is due while the tests run.
      batchSchedule: '0 2 1 1 *',
      execution: execution(),
      ...change,
    },
  };
}

/** The same over a business so large that extract takes some seconds. */
export function longProgram(name: string): object {
  const { dataConnectors } = smallProgram(name).spec;
  dataConnectors[0].config.sample.customers = 60_000;
  return smallProgram(name, { dataConnectors, execution: execution({ memory: '2Gi' }) });
}

export function execution(change: object = {}): object {
  return { cpu: '100m', memory: '768Mi', scratch: '1Gi', ...change };
}

/** Every task of the batch, in order, as STAGE/TASK. */
export const TASKS = [
  'extract/migrate',
  'extract/extract',
  'filter/filter',
  'score/score',
  'offer/offer',
  'store/store',
] as const;
