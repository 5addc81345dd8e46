import { HoldfastError } from '../../base/errors.ts';
import type { ProgramObject } from '../../operator/kube/objects.ts';

/**
 * Makes sure that a run of the program would begin; what is not known yet, since the operator has not looked at the program
 * as it is now, is returned as a sentence.
 * @throws HF_PROGRAM_NOT_READY
 */
export function requireReady({ metadata, spec, status }: ProgramObject): string | undefined {
  const { name, generation, deletionTimestamp } = metadata;
  const no = (why: string) => new HoldfastError('HF_PROGRAM_NOT_READY', `nothing was made: ${why}`);
  if (deletionTimestamp !== undefined) throw no(`the program ${name} is being deleted`);
  if (!spec.enabled) throw no(`the program ${name} is turned off: set spec.enabled to true first`);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined || (status?.observedGeneration ?? 0) < (generation ?? 0)) {
    return `the operator has not looked at the program ${name} as it is now; the run begins when it has`;
  }
  if (ready.status === 'True') return undefined;
  throw no(`the program ${name} is not ready: ${ready.reason}: ${ready.message}`);
}
