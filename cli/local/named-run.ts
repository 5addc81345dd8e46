import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import { newestRuns, programsOfRun } from '../../database/batches/discard.ts';
import type { RunKey } from '../../database/runs/runs.ts';
import { refuseNamespace, requireProgram } from './known-program.ts';
import type { State } from './state.ts';

/** Runs that a person is told of. */
const MOST_NAMED = 5;

/**
 * The program that a run is of: its name is hardly ever that of two.
 * @throws HF_NOT_FOUND naming the newest runs, HF_USAGE where it is the name of several
 */
export async function runNamed(
  { database, place }: State,
  run: string,
  { namespace, program }: { readonly namespace: string; readonly program?: string },
): Promise<RunKey> {
  const programs = await programsOfRun(database, { namespace, run });
  if (program !== undefined) {
    await requireProgram(database, { namespace, owner: program }, place);
    return { namespace, owner: program, run };
  }
  const [only, another] = programs;
  if (only !== undefined && another === undefined) return { namespace, owner: only, run };
  if (only !== undefined) {
    throw new HoldfastError('HF_USAGE', `${run} is a run of ${programs.join(' and of ')}: give --program`);
  }
  const known = await newestRuns(database, namespace, 200);
  if (known.length === 0) return refuseNamespace(database, namespace, place);
  const meant = nearest(run, known);
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  const newest = `the newest are ${known.slice(0, MOST_NAMED).join(', ')}`;
  throw new HoldfastError('HF_NOT_FOUND', `there is no run ${run} in the namespace ${namespace}; ${newest}${hint}`);
}
