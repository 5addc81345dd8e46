import { givenInstant } from '../given-instant.ts';
import type { Io } from '../io.ts';

/**
 * The clock that `--now` sets, or that of the machine.
 * @throws HF_USAGE
 */
export function clock(text: string | undefined, io: Io): () => Date {
  if (text === undefined) return io.now;
  const instant = givenInstant('--now', text);
  return () => new Date(instant);
}
