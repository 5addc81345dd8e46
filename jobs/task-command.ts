import { writeFileSync } from 'node:fs';
import { exitStatus, HoldfastError } from '../base/errors.ts';
import { asFailure } from '../contract/failure.ts';
import { isSharded, loadSharded, PIPELINES, type PipelineName } from '../contract/pipelines.ts';
import { readTaskSettings, terminationLog } from '../contract/task-settings.ts';
import { type TaskReport, terminationMessage } from '../contract/termination-message.ts';
import { runTask, type Task, type TaskIo } from './run/task.ts';

export interface MainIo extends Omit<TaskIo, 'warn'> {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stderr: { write(text: string): unknown };
}

/**
 * One task of a run, as a Job on a cluster: `node jobs/main.js <pipeline>/<stage>/<task>`. Everything else is in the
 * environment (see run/task-settings.ts). Resolves to the exit status: 0 done, 78 trying again cannot help, 1 any other
 * failure. What the task has to say goes to the container's termination message.
 */
export async function main(args: readonly string[], io: MainIo): Promise<number> {
  const warn = (sentence: string) => io.stderr.write(`${sentence}\n`);
  let report: TaskReport;
  let status = 0;
  try {
    const task = findTask(args);
    io.signal.throwIfAborted();
    report = await runTask(readTaskSettings(io.environment), task, { ...io, warn });
  } catch (error) {
    const failure = asFailure(error, io.signal);
    report = { error: { code: failure.code, message: failure.message } };
    status = exitStatus(failure);
    warn(`${failure.code}: ${failure.message}`);
  }
  const message = terminationMessage(report);
  warn(message);
  try {
    writeFileSync(terminationLog(io.environment), message);
  } catch (error) {
    // It is advisory: a task is no less done for it.
    warn(`the termination message cannot be written: ${(error as Error).message}`);
  }
  return status;
}

/** @throws HF_USAGE */
function findTask(args: readonly string[]): Task {
  const [path = ''] = args;
  const [pipeline, stageName, taskName, ...rest] = path.split('/');
  const stages = Object.hasOwn(PIPELINES, pipeline ?? '') ? PIPELINES[pipeline as PipelineName] : [];
  const index = stages.findIndex(({ name }) => name === stageName);
  const stage = stages[index];
  const task = stage?.tasks.find(({ name }) => name === taskName);
  if (args.length !== 1 || rest.length > 0 || pipeline === undefined || stage === undefined || task === undefined) {
    throw new HoldfastError('HF_USAGE', `"${args.join(' ')}" is not PIPELINE/STAGE/TASK, as in batch/extract/extract`);
  }
  return {
    pipeline,
    stage: stage.name,
    name: task.name,
    reads: stage.reads,
    last: index === stages.length - 1 && task === stage.tasks.at(-1),
    work: task.does === 'work' && isSharded(stage) ? { ...task, loadSharded: () => loadSharded(stage) } : task,
  };
}
