import { writeFileSync } from 'node:fs';
import { HoldfastError } from '../base/errors.ts';
import { exitStatus } from '../contract/exit-status.ts';
import { asFailure } from '../contract/failure.ts';
import { isSharded, pipelineOf, type StageDefinition, type TaskDefinition } from '../contract/pipelines.ts';
import { readTaskSettings, terminationLog } from '../contract/task-environment.ts';
import { type TaskReport, terminationMessage } from '../contract/termination-message.ts';
import { prepareBy } from './run/prepare.ts';
import { runTask, type Task, type TaskIo } from './run/task.ts';
import { loadSharded, loadWork, RUNNABLE, type RunnablePipelines } from './stages.ts';

export interface MainIo extends Omit<TaskIo, 'warn'> {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stderr: { write(text: string): unknown };
  /** Default: what this version can run. */
  readonly runnable?: RunnablePipelines;
}

/**
 * One task of a run, as a Job on a cluster: `node jobs/main.js <pipeline>/<stage>/<task>`. Everything else is in the
 * environment (see contract/task-environment.ts). Resolves to the exit status: 0 done, 78 trying again cannot help, 1 any other
 * failure. What the task has to say goes to the container's termination message.
 */
export async function main(args: readonly string[], io: MainIo): Promise<number> {
  const warn = (sentence: string) => io.stderr.write(`${sentence}\n`);
  let report: TaskReport;
  let status = 0;
  try {
    const task = findTask(args, io.runnable ?? RUNNABLE);
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
function findTask(args: readonly string[], runnable: RunnablePipelines): Task {
  const [path = ''] = args;
  const [name = '', stageName, taskName, ...rest] = path.split('/');
  const pipeline = pipelineOf(name, runnable.table);
  const stages = pipeline?.stages ?? [];
  const index = stages.findIndex((one) => one.name === stageName);
  const stage = stages[index];
  const task = stage?.tasks.find((one) => one.name === taskName);
  if (args.length !== 1 || rest.length > 0 || pipeline === undefined || stage === undefined || task === undefined) {
    throw new HoldfastError('HF_USAGE', `"${args.join(' ')}" is not PIPELINE/STAGE/TASK, as in batch/extract/extract`);
  }
  return {
    pipeline: name,
    ownerKind: pipeline.owner,
    stage: stage.name,
    name: task.name,
    reads: stage.reads,
    secrets: stage.secrets ?? [],
    last: index === stages.length - 1 && task === stage.tasks.at(-1),
    work: codeOf(runnable, name, stage, task),
  };
}

function codeOf(
  runnable: RunnablePipelines,
  pipeline: string,
  stage: StageDefinition,
  { does }: TaskDefinition,
): Task['work'] {
  const shards = () => loadSharded(runnable, pipeline, stage.name);
  const stages = (runnable.table[pipeline]?.stages ?? []).map(({ name }) => name);
  switch (does) {
    case 'prepare':
      return { does, load: async () => prepareBy(runnable.table), stages };
    case 'shards':
      return { does, load: shards };
    case 'work':
      return {
        does,
        load: () => loadWork(runnable, pipeline, stage.name),
        ...(isSharded(stage) ? { loadSharded: shards } : {}),
      };
  }
}
