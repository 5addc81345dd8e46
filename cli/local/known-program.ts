import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import type { Database } from '../../database/client/database.ts';
import { everyProgram } from '../../database/expiry/retired-runs.ts';
import type { OwnerKey } from '../../database/runs/runs.ts';

/** More names than a person looks through. */
const MOST_NAMED = 20;

/**
 * Makes sure that a program has run.
 * @param place where it was looked for, as people know it
 * @throws HF_NOT_FOUND naming the programs that have
 */
export async function requireProgram(database: Database, key: OwnerKey, place: string): Promise<void> {
  const known = await everyProgram(database);
  if (known.some(({ namespace, owner }) => namespace === key.namespace && owner === key.owner)) return;
  throw new HoldfastError(
    'HF_NOT_FOUND',
    `${key.owner} has not run in ${place}, namespace ${key.namespace}; ${thoseKnown(known, key)}`,
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
    `nothing has run in ${place}, namespace ${namespace}; ${thoseKnown(known, { namespace, owner: '' })}`,
  );
}

function thoseKnown(known: readonly OwnerKey[], { namespace, owner }: OwnerKey): string {
  if (known.length === 0) return 'no program has';
  const elsewhere = known.filter((one) => one.owner === owner).map((one) => one.namespace);
  if (elsewhere.length > 0) return `it has in the namespace ${named(elsewhere)}: give --namespace`;
  const here = known.filter((one) => one.namespace === namespace).map((one) => one.owner);
  if (here.length === 0) {
    return `the programs that have are ${named(known.map((one) => `${one.owner} (--namespace ${one.namespace})`))}`;
  }
  const meant = nearest(owner, here);
  return `the programs that have are ${named(here)}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;
}

function named(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
