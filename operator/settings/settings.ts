import { hostname } from 'node:os';
import { type AllowedNames, readAllowedNames } from './allowed.ts';
import { readTaskPods, type TaskPods } from './task-pods.ts';

/** What a program's namespace is expected to have, unless the program says otherwise; set by the chart. */
export interface StageSettings {
  /** Image that the stages run on: that of the operator itself. */
  readonly image: string;
  /** Secret with the connection string of Postgres. */
  readonly postgresSecret: { readonly name: string; readonly key: string } | undefined;
  /** PersistentVolumeClaim for artifacts. */
  readonly artifactsClaim: string | undefined;
  /** Folder in the image that relative paths of a program start from, when it names no volume for them. */
  readonly filesFolder: string;
  /** What is the same for the pods of all programs. */
  readonly taskPods: TaskPods;
  /** What else of its namespace a program may name. */
  readonly allowed: AllowedNames;
  /** Namespaces whose programs are run, or `*` alone: all but those of Kubernetes itself. */
  readonly watchNamespaces: readonly string[];
  /** How many runs, of all programs together, may be at work at once. */
  readonly maxRuns: number;
  /** So many seconds the runs of one minute are spread over, at most; 0: they begin together. */
  readonly startJitterSeconds: number;
}

export interface Settings extends StageSettings {
  /** Where the Lease is. */
  readonly namespace: string;
  readonly lease: string;
  /** The Deployment of the operator in the same namespace, which owns the Lease. Absent: nobody does. */
  readonly deployment?: string | undefined;
  readonly instance: string;
  /** Health and metrics; 0 for any free one. */
  readonly port: number;
  /** Absent: the pod's own service account. */
  readonly kubeconfig: string | undefined;
}

/** In place of a list of namespaces: all of them. */
export const EVERY_NAMESPACE = '*';

/** Whether the programs of a namespace are run: those of Kubernetes itself only if they are named. */
export function runsIn(namespace: string, { watchNamespaces }: Pick<StageSettings, 'watchNamespaces'>): boolean {
  const isOfKubernetes = namespace.startsWith('kube-');
  return watchNamespaces.includes(namespace) || (!isOfKubernetes && watchNamespaces.includes(EVERY_NAMESPACE));
}

/** Programs and models that are in the image. */
const FILES_IN_IMAGE = '/opt/holdfast/examples';

/** Reads the operator's environment. Throws a sentence that names the variable. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const value = (name: string): string | undefined => environment[name] || undefined;
  const image = value('HOLDFAST_IMAGE');
  if (image === undefined) throw new Error('HOLDFAST_IMAGE is not set: give the image that the stages run on.');
  const port = Number(value('HOLDFAST_PORT') ?? '8080');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('HOLDFAST_PORT is not a port.');
  const wholeNumber = (name: string, otherwise: number, least: number, most: number): number => {
    const text = value(name) ?? String(otherwise);
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new Error(`${name}: expected a whole number from ${least} to ${most}.`);
  };
  return {
    image,
    postgresSecret: secretOf(value('HOLDFAST_POSTGRES_SECRET')),
    artifactsClaim: value('HOLDFAST_ARTIFACTS_CLAIM'),
    filesFolder: value('HOLDFAST_FILES') ?? FILES_IN_IMAGE,
    taskPods: readTaskPods(value('HOLDFAST_TASK_PODS')),
    allowed: readAllowedNames(value),
    watchNamespaces: (value('HOLDFAST_WATCH_NAMESPACES') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    maxRuns: wholeNumber('HOLDFAST_MAX_RUNS', 10, 1, 10_000),
    startJitterSeconds: wholeNumber('HOLDFAST_START_JITTER_SECONDS', 10, 0, 3600),
    namespace: value('POD_NAMESPACE') ?? 'default',
    lease: value('HOLDFAST_LEASE') ?? 'holdfast',
    deployment: value('HOLDFAST_DEPLOYMENT'),
    instance: value('POD_NAME') ?? hostname(),
    port,
    kubeconfig: value('KUBECONFIG'),
  };
}

function secretOf(text: string | undefined): StageSettings['postgresSecret'] {
  if (text === undefined || text === '/') return undefined;
  const [name, key, ...rest] = text.split('/');
  if (name && key && rest.length === 0) return { name, key };
  throw new Error('HOLDFAST_POSTGRES_SECRET: expected NAME/KEY of a secret.');
}
