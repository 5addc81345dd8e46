import { dirname, isAbsolute, join } from 'node:path';
import type { Cluster, Context, User } from '@kubernetes/client-node';
import { parse, YAMLParseError } from 'yaml';

/*
 * The library's own reader refuses a whole file for one entry that lacks something, and drops what is below beside its types:
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */

/** A program that logs in, as an entry of the kubeconfig names it: `users[].user.exec`. */
export interface ExecPlugin {
  readonly apiVersion: string;
  /** A name to look for on the PATH, or a path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** How it is installed, for whoever has it not. */
  readonly installHint?: string;
  readonly provideClusterInfo: boolean;
  /** Whether it is given the terminal. */
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always';
}

export interface KubeUser extends User {
  readonly plugin?: ExecPlugin;
  /** As whom else than oneself one acts, as headers; the library knows the name alone. */
  readonly impersonation: Readonly<Record<string, string | string[]>>;
}

export interface KubeCluster extends Cluster {
  /** What the kubeconfig has for a login of this cluster, as `KUBERNETES_EXEC_INFO` hands it on. */
  readonly pluginConfig?: unknown;
}

/** What one file has; of an entry that lacks something the rest. */
export interface KubeconfigFile {
  readonly currentContext: string | undefined;
  readonly clusters: readonly KubeCluster[];
  readonly contexts: readonly Context[];
  readonly users: readonly KubeUser[];
}

/** No kubeconfig; it quotes nothing, since there are secrets in it. */
export class NoKubeconfig extends Error {
  override readonly name = 'NoKubeconfig';
  /** Counted from 1. */
  readonly line: number | undefined;

  constructor(line?: number) {
    super('this is no kubeconfig');
    this.line = line;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a kubeconfig; relative paths start from the folder of `file`.
 * @throws NoKubeconfig
 */
export function parseKubeconfig(text: string, file: string): KubeconfigFile {
  let document: unknown;
  try {
    document = parse(text, { uniqueKeys: false, logLevel: 'error' });
  } catch (error) {
    throw new NoKubeconfig(error instanceof YAMLParseError ? error.linePos?.[0].line : undefined);
  }
  if (document !== null && (typeof document !== 'object' || Array.isArray(document))) throw new NoKubeconfig();
  const config = (document ?? {}) as Fields;
  const folder = dirname(file);
  return {
    currentContext: filled(config['current-context']),
    clusters: named(config['clusters'], 'cluster', (name, fields) => clusterOf(name, fields, folder)),
    contexts: named(config['contexts'], 'context', contextOf),
    users: named(config['users'], 'user', (name, fields) => userOf(name, fields, folder)),
  };
}

function named<T>(list: unknown, key: string, read: (name: string, fields: Fields) => T): T[] {
  return listOf(list).flatMap((entry) => {
    const { name, [key]: fields } = fieldsOf(entry);
    return typeof name === 'string' && name !== '' ? [read(name, fieldsOf(fields))] : [];
  });
}

function clusterOf(name: string, fields: Fields, folder: string): KubeCluster {
  const caData = filled(fields['certificate-authority-data']);
  const caFile = pathIn(folder, fields['certificate-authority']);
  const skipTLSVerify = fields['insecure-skip-tls-verify'] === true;
  const address = (filled(fields['server']) ?? '').replace(/\/$/, '');
  const hasTls = skipTLSVerify || caData !== undefined || caFile !== undefined;
  const server = address === '' || address.includes('://') ? address : `${hasTls ? 'https' : 'http'}://${address}`;
  const pluginConfig = listOf(fields['extensions'])
    .map(fieldsOf)
    .find((one) => one['name'] === 'client.authentication.k8s.io/exec')?.['extension'];
  return {
    name,
    server,
    // The library wants it said that there is no certificate to verify, such as of `kubectl proxy`; kubectl does not.
    skipTLSVerify: skipTLSVerify || server.startsWith('http:'),
    ...given({
      // What is in the file itself counts before another file.
      caData,
      caFile: caData === undefined ? caFile : undefined,
      tlsServerName: filled(fields['tls-server-name']),
      proxyUrl: filled(fields['proxy-url']),
      pluginConfig,
    }),
  };
}

function contextOf(name: string, fields: Fields): Context {
  const { cluster, user, namespace } = fields;
  return {
    name,
    cluster: filled(cluster) ?? '',
    user: filled(user) ?? '',
    ...given({ namespace: filled(namespace) }),
  };
}

function userOf(name: string, fields: Fields, folder: string): KubeUser {
  const [certData, keyData] = [filled(fields['client-certificate-data']), filled(fields['client-key-data'])];
  const tokenFile = pathIn(folder, fields['tokenFile']);
  return {
    name,
    impersonation: impersonationOf(fields),
    ...given({
      certData,
      certFile: certData === undefined ? pathIn(folder, fields['client-certificate']) : undefined,
      keyData,
      keyFile: keyData === undefined ? pathIn(folder, fields['client-key']) : undefined,
      // A file is read again every minute, and counts before a token.
      token: tokenFile === undefined ? filled(fields['token']) : undefined,
      authProvider: tokenFile === undefined ? fields['auth-provider'] : { name: 'tokenFile', config: { tokenFile } },
      username: filled(fields['username']),
      password: filled(fields['password']),
      impersonateUser: filled(fields['as']),
      plugin: pluginOf(fields['exec'], folder),
    }),
  };
}

function pluginOf(exec: unknown, folder: string): ExecPlugin | undefined {
  const fields = fieldsOf(exec);
  const command = filled(fields['command']);
  if (exec === undefined || exec === null) return undefined;
  const mode = fields['interactiveMode'];
  return {
    apiVersion: filled(fields['apiVersion']) ?? '',
    command: command?.includes('/') === true && !isAbsolute(command) ? join(folder, command) : (command ?? ''),
    args: listOf(fields['args']).map(String),
    env: listOf(fields['env'])
      .map(fieldsOf)
      .flatMap(({ name, value }) => (typeof name === 'string' ? [{ name, value: filled(value) ?? '' }] : [])),
    provideClusterInfo: fields['provideClusterInfo'] === true,
    interactiveMode: mode === 'Never' || mode === 'Always' ? mode : 'IfAvailable',
    ...given({ installHint: filled(fields['installHint']) }),
  };
}

function impersonationOf(fields: Fields): KubeUser['impersonation'] {
  const uid = filled(fields['as-uid']);
  const groups = listOf(fields['as-groups']).map(String);
  const extra = Object.entries(fieldsOf(fields['as-user-extra'])).map(([key, values]): [string, string[]] => [
    // What a header may not be called is escaped, as the API server reads it.
    `Impersonate-Extra-${encodeURIComponent(key.toLowerCase())}`,
    listOf(values).map(String),
  ]);
  return Object.fromEntries<string | string[]>([
    ...(uid === undefined ? [] : [['Impersonate-Uid', uid] as const]),
    ...(groups.length === 0 ? [] : [['Impersonate-Group', groups] as const]),
    ...extra,
  ]);
}

function pathIn(folder: string, value: unknown): string | undefined {
  const path = filled(value);
  return path === undefined || isAbsolute(path) ? path : join(folder, path);
}

/** Undefined for what is empty, as the empty text stands for nothing there. */
const filled = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** The fields that are there. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
