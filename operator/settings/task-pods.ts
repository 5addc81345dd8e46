/**
 * What whoever installs the operator says of the pods of all programs, and no program can: where they may run, before whom,
 * what is put into them. Its names are those of the chart's values.
 */
export interface TaskPods {
  readonly labels: Texts;
  readonly annotations: Texts;
  /** Goes before what a program selects by the same label. */
  readonly nodeSelector: Texts;
  readonly tolerations: readonly object[];
  readonly priorityClassName: string;
  /** Names of Secrets in the programs' namespaces, for the image. */
  readonly pullSecrets: readonly string[];
  /** Variables that are no variable of ours. */
  readonly env: Texts;
  readonly limits: { readonly cpu?: string | number };
  /** User and groups; what is absent is left to the platform. */
  readonly securityContext: {
    readonly runAsUser?: number;
    readonly runAsGroup?: number;
    readonly fsGroup?: number;
  };
  /** Key of a ConfigMap in the programs' namespaces that holds certificates. */
  readonly caBundle: { readonly configMap: string; readonly key: string };
}

type Texts = Readonly<Record<string, string>>;

/** As the chart comes. */
export const PLAIN_TASK_PODS: TaskPods = {
  labels: {},
  annotations: {},
  nodeSelector: {},
  tolerations: [],
  priorityClassName: '',
  pullSecrets: [],
  env: {},
  limits: {},
  securityContext: { runAsUser: 65_532, runAsGroup: 65_532, fsGroup: 65_532 },
  caBundle: { configMap: '', key: '' },
};

/** Reads what the chart, whose schema has checked it, gives as JSON. Throws a sentence where it is none. */
export function readTaskPods(text: string | undefined): TaskPods {
  if (text === undefined) return PLAIN_TASK_PODS;
  let given: Partial<TaskPods> | null;
  try {
    given = JSON.parse(text) as Partial<TaskPods> | null;
  } catch (cause) {
    throw new Error('HOLDFAST_TASK_PODS: expected the JSON that the chart makes of its values.', { cause });
  }
  const { labels, annotations, nodeSelector, env, ...rest } = given ?? {};
  const set = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  return {
    ...PLAIN_TASK_PODS,
    // What the chart leaves out is left to the platform.
    securityContext: {},
    ...Object.fromEntries(set),
    labels: texts(labels),
    annotations: texts(annotations),
    nodeSelector: texts(nodeSelector),
    env: texts(env),
  };
}

/** In values people write numbers and truths where Kubernetes has texts. */
function texts(given: Readonly<Record<string, unknown>> | undefined): Texts {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
