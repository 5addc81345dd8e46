import { HoldfastError } from '../../base/errors.ts';

/** A file from which no program can be made, and what a person can do about it. */
export function unsuitable(sentence: string): HoldfastError {
  return new HoldfastError('HF_SOURCE_UNSUITABLE', sentence);
}
