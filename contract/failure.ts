import { HoldfastError } from '../base/errors.ts';

/** Whatever is thrown while the signal is up comes from the signal. */
export function asFailure(error: unknown, signal: AbortSignal): HoldfastError {
  if (signal.aborted && signal.reason instanceof HoldfastError) return signal.reason;
  if (error instanceof HoldfastError) return error;
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new HoldfastError('HF_DISK_FULL', 'no room left on the disk', { cause: error });
  }
  return new HoldfastError('HF_INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}
