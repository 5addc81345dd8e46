import { availableParallelism, totalmem } from 'node:os';
import type { StageContext } from './stage.ts';

/** The processors that the container may use, and half of its memory: models and Node take the rest. */
export function containerResources(): StageContext['resources'] {
  const limit = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  const half = limit / 2 / 1024 / 1024;
  return { threads: availableParallelism(), memoryMb: Math.round(Math.min(4096, Math.max(256, half))) };
}
