import type { Kind } from './kind.ts';
import { retentionProgram } from './retention-program.ts';
import { retentionRun } from './retention-run.ts';

/**
 * Every kind that the operator looks after. Another one is a file here, a line in this list, and one in `watched.ts`. One that
 * has Jobs is found by them in `runKeyOf`, and has to be counted in `room.ts`, or the cap on runs at work does not hold for it.
 */
export const KINDS: readonly Kind[] = [retentionProgram, retentionRun];
