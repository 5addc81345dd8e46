import type { Kind } from './kind.ts';
import { retentionProgram } from './retention-program.ts';
import { retentionRun } from './retention-run.ts';

/** Every kind that the operator looks after. Another one is a file here, a line in this list, and a line in `watched.ts`. */
export const KINDS: readonly Kind[] = [retentionProgram, retentionRun];
