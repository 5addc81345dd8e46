import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';

/** Where the API server is and who we are. */
export interface ConnectionSource {
  /** Path of a kubeconfig, or of several that are read as one. Absent: the pod's own service account. */
  readonly kubeconfig?: string | readonly string[] | undefined;
  /** A context of the kubeconfig. Default: its current one. */
  readonly context?: string | undefined;
}

/** A kubeconfig, or a pod's service account, that leads to no API server. The message quotes nothing of it but names. */
export class UnusableKubeconfig extends Error {
  override readonly name = 'UnusableKubeconfig';
}

/**
 * Reads the files as kubectl does: of what has the same name in two of them the first counts, relative paths start from the
 * folder of their file, and a file of several that is not there is passed over.
 * @throws UnusableKubeconfig
 */
export function loadKubeconfig(source: ConnectionSource): KubeConfig {
  const config = source.kubeconfig === undefined ? ofPod() : ofFiles([source.kubeconfig].flat());
  if (source.context !== undefined) config.setCurrentContext(source.context);
  const name = config.getCurrentContext();
  const from = [source.kubeconfig ?? 'the service account of the pod'].flat().join(', ');
  if (!name) throw new UnusableKubeconfig(`the kubeconfig ${from} has no current context: give --context`);
  const context = config.getContextObject(name);
  if (context === null) {
    const names = config.contexts.map((one) => one.name);
    const those = names.length === 0 ? 'it has none' : `it has ${names.slice(0, MOST_NAMED).join(', ')}`;
    throw new UnusableKubeconfig(`the kubeconfig ${from} has no context ${name}; ${those}`);
  }
  if (!config.getCluster(context.cluster)?.server) {
    throw new UnusableKubeconfig(
      `the kubeconfig ${from} has no cluster ${context.cluster}, which the context ${name} names`,
    );
  }
  if (config.getUser(context.user) === null && context.user) {
    throw new UnusableKubeconfig(`the kubeconfig ${from} has no user ${context.user}, which the context ${name} names`);
  }
  return config;
}

/** More names than a person looks through. */
const MOST_NAMED = 20;

function ofPod(): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromCluster();
  } catch (cause) {
    throw new UnusableKubeconfig('the service account of the pod cannot be read', { cause });
  }
  return config;
}

function ofFiles(paths: readonly string[]): KubeConfig {
  const read = paths.flatMap((path) => {
    const one = ofFile(path, paths.length > 1);
    return one === undefined ? [] : [one];
  });
  const config = new KubeConfig();
  const currentContext = read.map((one) => one.getCurrentContext()).find((name) => name);
  config.loadFromOptions({
    contexts: firstOfEachName(read.flatMap((one) => one.contexts ?? [])),
    clusters: firstOfEachName(read.flatMap((one) => one.clusters ?? [])).map(plainHttp),
    users: firstOfEachName(read.flatMap((one) => one.users ?? [])),
    ...(currentContext === undefined ? {} : { currentContext }),
  });
  return config;
}

/** A pipe, such as a shell makes of `<(…)`, gives once what it has, and it is asked for more than once. */
const fromPipes = new Map<string, string>();

function textOf(file: string): string {
  const kept = fromPipes.get(file);
  if (kept !== undefined) return kept;
  const text = readFileSync(file, 'utf8');
  if (!statSync(file).isFile()) fromPipes.set(file, text);
  return text;
}

function ofFile(path: string, mayBeMissing: boolean): KubeConfig | undefined {
  const file = resolve(path);
  let text: string;
  try {
    text = textOf(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && mayBeMissing) return undefined;
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code ?? 'unreadable'})`;
    throw new UnusableKubeconfig(`the kubeconfig ${path} ${why}`, { cause });
  }
  if (text.trim() === '') return undefined;
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    // The error of the YAML reader quotes the lines around, with whatever secret is in them.
    const line = (error as { mark?: { line?: number } }).mark?.line;
    const where = line === undefined ? '' : `, near line ${line + 1}`;
    throw new UnusableKubeconfig(`the kubeconfig ${path} is not one${where}`);
  }
  config.makePathsAbsolute(dirname(file));
  return config;
}

function firstOfEachName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  const seen = new Map<string, T>();
  for (const one of all) if (!seen.has(one.name)) seen.set(one.name, one);
  return [...seen.values()];
}

/** The library wants it said that there is no certificate to verify, such as of `kubectl proxy`; kubectl does not. */
function plainHttp(cluster: Cluster): Cluster {
  return cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster;
}
