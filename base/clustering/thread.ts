import { parentPort, workerData } from 'node:worker_threads';
import { kernelOf, type Work } from './kernel.ts';
import type { ThreadStart } from './team.ts';

/*
 * A thread that works on one part of a space: told where it lies at its start, then asked in messages.
 */

const { memory, layout, part } = workerData as ThreadStart;
const worker = kernelOf(memory, layout, part);
parentPort?.on('message', (work: Work) => parentPort?.postMessage(worker(work), []));
