import type { HoldfastError } from '../base/errors.ts';

/** EX_CONFIG of sysexits.h: trying again cannot help. The operator's Jobs end at it; any other status is tried again. */
export const TERMINAL_EXIT = 78;

/** Exit status of a process that ends with this error. */
export function exitStatus(error: HoldfastError): number {
  return error.kind === 'terminal' ? TERMINAL_EXIT : 1;
}
