import { HoldfastError } from '../base/errors.ts';

/** Somebody stopped looking at work that goes on elsewhere: unlike other interrupted work, it is not to be begun again. */
export class StoppedLooking extends HoldfastError {
  constructor(message: string, cause: unknown) {
    super('HF_INTERRUPTED', message, { cause });
  }
}
