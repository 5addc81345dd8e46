import { HoldfastError } from '../base/errors.ts';

/** Somebody ended a command, and it says itself how to go on: other interrupted work is to be begun again. */
export class Stopped extends HoldfastError {
  constructor(message: string, cause: unknown) {
    super('HF_INTERRUPTED', message, { cause });
  }
}
