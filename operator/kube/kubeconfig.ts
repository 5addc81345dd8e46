import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Context, KubeConfig } from '@kubernetes/client-node';
import type { Person } from './exec-plugin.ts';
import {
  type KubeCluster,
  type KubeconfigFile,
  type KubeUser,
  NoKubeconfig,
  parseKubeconfig,
} from './kubeconfig-file.ts';
import { isProxy, proxyFor } from './proxy.ts';

/** Where the API server is and who we are. */
export interface ConnectionSource {
  /** Path of a kubeconfig, or of several that are read as one. Absent: the pod's own service account. */
  readonly kubeconfig?: string | readonly string[] | undefined;
  /** A context of the kubeconfig. Default, and when empty: its current one. */
  readonly context?: string | undefined;
  /** That logins of the kubeconfig get, and that names proxies. Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Whom logins of the kubeconfig may ask. Default: nobody. */
  readonly person?: Person | undefined;
}

/** A kubeconfig, or a pod's service account, that leads to no API server. The message quotes nothing of it but names. */
export class UnusableKubeconfig extends Error {
  override readonly name = 'UnusableKubeconfig';
}

/** A context of a kubeconfig with all that it names. */
export interface LoadedKubeconfig {
  /** For what the library knows: certificates, token files, OIDC, proxies. */
  readonly config: KubeConfig;
  readonly context: Context;
  readonly cluster: KubeCluster;
  /** Nobody in particular where the context names no user. */
  readonly user: KubeUser;
}

/**
 * Reads the files as kubectl does: of what has the same name in two of them the first counts, relative paths start from the
 * folder of their file, and a file of several that is not there is passed over.
 * @throws UnusableKubeconfig
 */
export function loadKubeconfig(source: ConnectionSource): LoadedKubeconfig {
  if (source.kubeconfig === undefined) return ofPod();
  const paths = [source.kubeconfig].flat();
  const of = `the kubeconfig ${paths.join(', ')}`;
  const all = ofFiles(paths);
  const name = source.context || all.currentContext;
  if (!name) throw new UnusableKubeconfig(`${of} has no current context: give --context`);
  const context = all.contexts.find((one) => one.name === name);
  if (context === undefined) {
    const names = all.contexts.map((one) => one.name);
    const those = names.length === 0 ? 'it has none' : `it has ${names.slice(0, MOST_NAMED).join(', ')}`;
    throw new UnusableKubeconfig(`${of} has no context ${name}; ${those}`);
  }
  if (context.cluster === '') throw new UnusableKubeconfig(`the context ${name} of ${of} names no cluster`);
  const found = all.clusters.find((one) => one.name === context.cluster);
  if (found === undefined) {
    throw new UnusableKubeconfig(`${of} has no cluster ${context.cluster}, which the context ${name} names`);
  }
  if (found.server === '') throw new UnusableKubeconfig(`the cluster ${found.name} of ${of} has no server`);
  const user = context.user === '' ? NOBODY : all.users.find((one) => one.name === context.user);
  if (user === undefined) {
    throw new UnusableKubeconfig(`${of} has no user ${context.user}, which the context ${name} names`);
  }
  if (user.impersonateUser === undefined && Object.keys(user.impersonation).length > 0) {
    throw new UnusableKubeconfig(`the user ${user.name} of ${of} has as-groups, as-uid or as-user-extra without as`);
  }
  const cluster = byProxy(found, of, source.environment ?? process.env);
  const config = new KubeConfig();
  config.loadFromOptions({
    contexts: [{ ...context, user: user.name }],
    clusters: [cluster],
    users: [user],
    currentContext: name,
  });
  return { config, context, cluster, user };
}

/**
 * Names of the contexts that there are.
 * @throws UnusableKubeconfig
 */
export function contextsOf({ kubeconfig = [] }: ConnectionSource): readonly string[] {
  return ofFiles([kubeconfig].flat()).contexts.map(({ name }) => name);
}

/** More names than a person looks through. */
const MOST_NAMED = 20;

/** A context may name no user; the library trusts no authority of such a one, so it gets one that shows nothing. */
const NOBODY: KubeUser = { name: '(nobody)', impersonation: {} };

/** The cluster with the proxy that leads to it: its own, else that of the environment. */
function byProxy(
  cluster: KubeCluster,
  of: string,
  environment: Readonly<Record<string, string | undefined>>,
): KubeCluster {
  const { name, proxyUrl, server } = cluster;
  if (proxyUrl !== undefined && !isProxy(proxyUrl)) {
    throw new UnusableKubeconfig(`the proxy-url of the cluster ${name} of ${of} is no address of a proxy`);
  }
  if (proxyUrl !== undefined || !URL.canParse(server)) return cluster;
  const proxy = proxyFor(new URL(server), environment);
  if (proxy === undefined) return cluster;
  if (!isProxy(proxy)) throw new UnusableKubeconfig('HTTPS_PROXY or HTTP_PROXY is no address of a proxy');
  return { ...cluster, proxyUrl: proxy };
}

function ofPod(): LoadedKubeconfig {
  const config = new KubeConfig();
  try {
    config.loadFromCluster();
  } catch (cause) {
    throw new UnusableKubeconfig('the service account of the pod cannot be read', { cause });
  }
  const [context] = config.contexts;
  const [cluster] = config.clusters;
  const [user] = config.users;
  if (context === undefined || cluster === undefined || user === undefined) {
    throw new UnusableKubeconfig('the service account of the pod cannot be read');
  }
  return { config, context, cluster, user: { ...user, impersonation: {} } };
}

function ofFiles(paths: readonly string[]): KubeconfigFile {
  const read = paths.flatMap((path) => ofFile(path, paths.length > 1) ?? []);
  return {
    currentContext: read.map((one) => one.currentContext).find((name) => name !== undefined),
    contexts: firstOfEachName(read.flatMap((one) => one.contexts)),
    clusters: firstOfEachName(read.flatMap((one) => one.clusters)),
    users: firstOfEachName(read.flatMap((one) => one.users)),
  };
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

function ofFile(path: string, mayBeMissing: boolean): KubeconfigFile | undefined {
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
  try {
    return parseKubeconfig(text, file);
  } catch (error) {
    if (!(error instanceof NoKubeconfig)) throw error;
    const where = error.line === undefined ? '' : `, near line ${error.line}`;
    throw new UnusableKubeconfig(`the kubeconfig ${path} is not one${where}`);
  }
}

function firstOfEachName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  const seen = new Map<string, T>();
  for (const one of all) if (!seen.has(one.name)) seen.set(one.name, one);
  return [...seen.values()];
}
