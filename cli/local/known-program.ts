import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import type { Database } from '../../database/client/database.ts';
import { everyProgram } from '../../database/expiry/retired-runs.ts';
import type { ProgramKey } from '../../database/runs/runs.ts';

/** More names than a person looks through. */
const MOST_NAMED = 20;

/**
 * Makes sure that a program has run.
 * @param place where it was looked for, as people know it
 * @throws HF_NOT_FOUND naming the programs that have
 */
export async function requireProgram(database: Database, key: ProgramKey, place: string): Promise<void> {
  const known = await everyProgram(database);
  if (known.some(({ namespace, program }) => namespace === key.namespace && program === key.program)) return;
  throw new HoldfastError(
    'HF_NOT_FOUND',
    `${key.program} has not run in ${place}, namespace ${key.namespace}; ${thoseKnown(known, key)}`,
  );
}

/**
 * Refuses a namespace in which nothing has run.
 * @throws HF_NOT_FOUND naming the programs that have, elsewhere
 */
export async function refuseNamespace(database: Database, namespace: string, place: string): Promise<never> {
  const known = await everyProgram(database);
  throw new HoldfastError(
    'HF_NOT_FOUND',
    `nothing has run in ${place}, namespace ${namespace}; ${thoseKnown(known, { namespace, program: '' })}`,
  );
}

function thoseKnown(known: readonly ProgramKey[], { namespace, program }: ProgramKey): string {
  if (known.length === 0) return 'no program has';
  const elsewhere = known.filter((one) => one.program === program).map((one) => one.namespace);
  if (elsewhere.length > 0) return `it has in the namespace ${named(elsewhere)}: give --namespace`;
  const here = known.filter((one) => one.namespace === namespace).map((one) => one.program);
  if (here.length === 0) {
    return `the programs that have are ${named(known.map((one) => `${one.program} (--namespace ${one.namespace})`))}`;
  }
  const meant = nearest(program, here);
  return `the programs that have are ${named(here)}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;
}

function named(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
