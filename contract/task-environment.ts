import { HoldfastError } from '../base/errors.ts';
import { rfc3339 } from '../base/instant.ts';
import { connectionVariable } from './credentials.ts';
import { TERMINATION_LOG } from './termination-message.ts';
import { type RunTrigger, TRIGGERS } from './trigger.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** An object that stands for a run. */
export interface RunReference {
  readonly name: string;
  /** Tells two of one name apart. */
  readonly uid: string;
}

/** What the operator tells every task of a run: which run it is part of, and where things are. */
export interface TaskPlace {
  readonly namespace: string;
  /** Name of the run's object, such as a RetentionRun. */
  readonly run: string;
  /** Its uid. */
  readonly runUid: string;
  readonly slot: Date;
  readonly trigger: RunTrigger;
  /** The run's object that this one is a retry of. */
  readonly retryOf?: RunReference | undefined;
  /** With `retryOf`: the first stage that is done again, whatever the run before made of it. */
  readonly fromStage?: string | undefined;
  readonly dryRun: boolean;
  readonly revision: {
    /** Path of the mounted revision. */
    readonly file: string;
    /** SHA-256 that its bytes must have. */
    readonly digest: string;
  };
  /** Folder that every task of the run sees. */
  readonly artifactRoot: string;
  readonly scratchFolder: string;
  /** Folder that relative paths in the program start from. */
  readonly baseFolder: string;
}

/** What a task on a cluster finds in its environment. */
export interface TaskSettings extends TaskPlace {
  readonly databaseUrl: string;
  /** Connection of a connector's server, if this task is given it. */
  readonly connection: (connectorId: string) => string | undefined;
  /** Which of the pods of a task that has several this is, from 0. */
  readonly shardIndex: number | undefined;
  /** Where Kubernetes reads what a container has to say at its end. */
  readonly terminationLog: string;
}

/** Environment variable of every task that holds the URL of the database, by reference to a secret. */
export const DATABASE_VARIABLE = 'DATABASE_URL';

/** The environment of a task but for what comes out of secrets, and what Kubernetes adds. */
export function taskEnvironment(place: TaskPlace): Record<string, string> {
  return {
    HOLDFAST_NAMESPACE: place.namespace,
    HOLDFAST_RUN: place.run,
    HOLDFAST_RUN_UID: place.runUid,
    HOLDFAST_SLOT: rfc3339(place.slot),
    HOLDFAST_TRIGGER: place.trigger,
    ...(place.retryOf && { HOLDFAST_RETRY_OF: place.retryOf.name, HOLDFAST_RETRY_OF_UID: place.retryOf.uid }),
    ...(place.fromStage && { HOLDFAST_FROM_STAGE: place.fromStage }),
    HOLDFAST_DRY_RUN: String(place.dryRun),
    HOLDFAST_REVISION: place.revision.file,
    HOLDFAST_REVISION_DIGEST: place.revision.digest,
    HOLDFAST_ARTIFACTS: place.artifactRoot,
    HOLDFAST_SCRATCH: place.scratchFolder,
    HOLDFAST_FILES: place.baseFolder,
  };
}

/** Whether a variable is one that Holdfast gives a meaning: nobody else sets it. */
export function isTaskVariable(name: string): boolean {
  return name.startsWith('HOLDFAST_') || name === DATABASE_VARIABLE;
}

/**
 * Reads the environment of a task.
 * @throws HF_USAGE naming the variable that is missing or wrong
 */
export function readTaskSettings(environment: Environment): TaskSettings {
  const slot = new Date(required(environment, 'HOLDFAST_SLOT'));
  if (Number.isNaN(slot.getTime())) throw wrong('HOLDFAST_SLOT', 'an instant such as 2026-11-23T02:00:00Z');
  const trigger = TRIGGERS.find((known) => known === required(environment, 'HOLDFAST_TRIGGER'));
  if (trigger === undefined) throw wrong('HOLDFAST_TRIGGER', TRIGGERS.join(', '));
  return {
    namespace: required(environment, 'HOLDFAST_NAMESPACE'),
    run: required(environment, 'HOLDFAST_RUN'),
    runUid: required(environment, 'HOLDFAST_RUN_UID'),
    slot,
    trigger,
    retryOf: retriedRun(environment),
    fromStage: environment['HOLDFAST_FROM_STAGE'] || undefined,
    dryRun: environment['HOLDFAST_DRY_RUN'] === 'true',
    revision: {
      file: required(environment, 'HOLDFAST_REVISION'),
      digest: required(environment, 'HOLDFAST_REVISION_DIGEST'),
    },
    databaseUrl: required(environment, DATABASE_VARIABLE),
    connection: (connectorId) => environment[connectionVariable(connectorId)] || undefined,
    artifactRoot: required(environment, 'HOLDFAST_ARTIFACTS'),
    scratchFolder: required(environment, 'HOLDFAST_SCRATCH'),
    baseFolder: required(environment, 'HOLDFAST_FILES'),
    shardIndex: shardIndex(environment),
    terminationLog: terminationLog(environment),
  };
}

/** Two objects of one name are two runs, so neither variable goes without the other. */
function retriedRun(environment: Environment): RunReference | undefined {
  const told = ['HOLDFAST_RETRY_OF', 'HOLDFAST_RETRY_OF_UID', 'HOLDFAST_FROM_STAGE'].some((name) => environment[name]);
  if (!told) return undefined;
  return { name: required(environment, 'HOLDFAST_RETRY_OF'), uid: required(environment, 'HOLDFAST_RETRY_OF_UID') };
}

/** As Kubernetes gives it to the pods of an Indexed Job. */
function shardIndex({ JOB_COMPLETION_INDEX: index }: Environment): number | undefined {
  if (index === undefined) return undefined;
  if (/^\d{1,4}$/.test(index)) return Number(index);
  throw wrong('JOB_COMPLETION_INDEX', 'a whole number from 0');
}

/** Known even when the rest of the environment is wrong, so that this can be said. */
export function terminationLog(environment: Environment): string {
  return environment['HOLDFAST_TERMINATION_LOG'] || TERMINATION_LOG;
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value !== undefined && value !== '') return value;
  throw new HoldfastError('HF_USAGE', `${name} is not set: the operator sets it in every Job that it makes`);
}

function wrong(name: string, expected: string): HoldfastError {
  return new HoldfastError('HF_USAGE', `${name}: expected ${expected}`);
}
