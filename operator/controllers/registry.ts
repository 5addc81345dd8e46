import type { Controller } from './controller.ts';
import { retentionProgramController } from './retention-program.ts';
import { retentionRunController } from './retention-run.ts';

/** Every kind that the operator looks after. Another one is a file here, a line in this list, and its cache. */
export const CONTROLLERS: readonly Controller[] = [retentionProgramController, retentionRunController];
