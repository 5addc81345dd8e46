import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { KubeError } from './api.ts';
import type { Clock } from './clock.ts';
import type { ExecPlugin, KubeCluster } from './kubeconfig-file.ts';
import { tellWithoutSecrets, withoutSecrets } from './plugin-words.ts';

/** Whom a login may ask. */
export interface Person {
  /** Whether standard input is a terminal. */
  readonly canAnswer: boolean;
  /** Shows what the login says, which may be half a line. */
  readonly tell: (text: string) => void;
}

/** What a login gives: a token, or a certificate with its key, or both. */
export interface ExecCredential {
  readonly token?: string;
  /** PEM. */
  readonly certificate?: string;
  /** PEM. */
  readonly key?: string;
  readonly expires?: Date;
}

export interface PluginWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly person: Person;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long a login may take that cannot be waiting for a person. */
const LONGEST_MS = 30_000;

/** How long it has to end by itself once it is told to. */
const GRACE_MS = 1000;

/** Longest answer that is read, in characters; certificates are some thousands. */
const LONGEST_ANSWER = 1024 ** 2;

/**
 * Runs a login of the kubeconfig as kubectl does, and reads the ExecCredential that it prints.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 * @throws KubeError with reason NoCredentials, whose message has no secret in it
 */
export async function runPlugin(
  plugin: ExecPlugin,
  cluster: KubeCluster,
  { environment, person, clock, signal }: PluginWorld,
): Promise<ExecCredential> {
  requireUsable(plugin, person);
  const { command, interactiveMode } = plugin;
  const interactive = interactiveMode !== 'Never' && person.canAnswer;
  const secrets = plugin.env.map(({ value }) => value);
  let stdout = '';
  let stderr = '';
  const told = tellWithoutSecrets(secrets, person.tell);
  const child = spawn(command, [...plugin.args], {
    env: {
      ...environment,
      ...Object.fromEntries(plugin.env.map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: execInfo(plugin, cluster, interactive),
    },
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    // A group of its own is ended with all that it started; one that asks a person must stay in that of the terminal.
    detached: !interactive,
  });
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    if (stdout.length <= LONGEST_ANSWER) stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-LONGEST_ANSWER);
    told.add(chunk);
  });
  const end = await endOf(child, { interactive, clock, signal });
  told.end();
  const no = (why: string) => refused(`their program ${command} ${why}`);
  if (end === 'late')
    throw no(`did not end within ${LONGEST_MS / 1000} s; it may want an answer: run it in a terminal`);
  if (end === 'aborted') throw signal.reason;
  if ('notStarted' in end) throw notBegun(plugin, end.notStarted);
  if (end.status !== 0) {
    const how = end.status === null ? `was ended by ${end.killedBy}` : `failed with exit status ${end.status}`;
    const said = withoutSecrets(stderr, secrets).trim().split('\n').at(-1)?.trim() ?? '';
    throw no(said === '' ? `${how}, and said nothing` : `${how}: ${said}`);
  }
  return credentialOf(stdout, plugin.apiVersion, no);
}

function refused(why: string, cause?: unknown): KubeError {
  return new KubeError(0, 'NoCredentials', `the credentials cannot be had: ${why}`, { cause });
}

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

function requireUsable({ command, apiVersion, interactiveMode }: ExecPlugin, person: Person): void {
  if (command === '') throw refused('the kubeconfig names no program that gives them');
  if (!VERSIONS.includes(apiVersion)) {
    throw refused(
      `their program ${command} is for ${apiVersion || 'no version'}, and this knows ${VERSIONS.join(' and ')}: update it`,
    );
  }
  if (interactiveMode === 'Always' && !person.canAnswer) {
    throw refused(`their program ${command} asks for something each time: run the command in a terminal`);
  }
}

function notBegun({ command, installHint }: ExecPlugin, error: NodeJS.ErrnoException): KubeError {
  const hint = installHint === undefined ? '' : `: ${installHint.replaceAll(/\s+/g, ' ').trim()}`;
  const why =
    error.code === 'ENOENT'
      ? 'is not there'
      : error.code === 'EACCES'
        ? 'may not be run'
        : `cannot be run (${error.code ?? 'unknown'})`;
  return refused(`their program ${command} ${why}${hint}`, error);
}

function execInfo({ apiVersion, provideClusterInfo }: ExecPlugin, cluster: KubeCluster, interactive: boolean): string {
  const spec = { interactive, ...(provideClusterInfo ? { cluster: clusterInfo(cluster) } : {}) };
  return JSON.stringify({ kind: 'ExecCredential', apiVersion, spec });
}

function clusterInfo(cluster: KubeCluster): object {
  const { server, tlsServerName, skipTLSVerify, caFile, caData, proxyUrl, pluginConfig } = cluster;
  return {
    server,
    'tls-server-name': tlsServerName,
    'insecure-skip-tls-verify': skipTLSVerify || undefined,
    'certificate-authority-data': caData ?? (caFile === undefined ? undefined : readFileSync(caFile, 'base64')),
    'proxy-url': proxyUrl,
    config: pluginConfig ?? null,
  };
}

type Ended =
  | { readonly status: number | null; readonly killedBy: string | null }
  | { readonly notStarted: NodeJS.ErrnoException };

/** How the program ended: by itself, not even begun, or because it took too long or was given up, when it is gone as well. */
function endOf(
  child: ChildProcess,
  { interactive, clock, signal }: Pick<PluginWorld, 'clock' | 'signal'> & { readonly interactive: boolean },
): Promise<Ended | 'late' | 'aborted'> {
  const kill = (by: 'SIGTERM' | 'SIGKILL') => {
    try {
      if (interactive || child.pid === undefined) child.kill(by);
      else process.kill(-child.pid, by);
    } catch {
      // It has ended meanwhile.
    }
  };
  return new Promise((resolve) => {
    let because: 'late' | 'aborted' | undefined;
    let stopKilling = () => {};
    const giveUp = (why: 'late' | 'aborted') => {
      because ??= why;
      kill('SIGTERM');
      stopKilling = clock.setTimeout(() => kill('SIGKILL'), GRACE_MS);
    };
    const aborted = () => giveUp('aborted');
    const stopWaiting = interactive ? () => {} : clock.setTimeout(() => giveUp('late'), LONGEST_MS);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    const done = (end: Ended) => {
      stopWaiting();
      stopKilling();
      signal.removeEventListener('abort', aborted);
      // Whatever of its own goes on must not hold us by the pipes that it has inherited.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(because ?? end);
    };
    child.once('error', (notStarted) => done({ notStarted }));
    child.once('exit', () => {
      if (because === undefined) return;
      kill('SIGKILL');
      done({ status: null, killedBy: null });
    });
    child.once('close', (status, killedBy) => done({ status, killedBy }));
  });
}

/** What may be in an answer. */
interface Answer {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly status?: Readonly<Record<string, unknown>>;
}

function credentialOf(stdout: string, apiVersion: string, no: (why: string) => KubeError): ExecCredential {
  const answer = parsed(stdout);
  if (answer?.kind !== 'ExecCredential') throw no('printed what is no ExecCredential');
  if (answer.apiVersion !== apiVersion) {
    throw no(`printed an ExecCredential of another version than ${apiVersion}, which the kubeconfig names`);
  }
  const text = (key: string): string | undefined => {
    const value = answer.status?.[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [token, certificate, key] = [text('token'), text('clientCertificateData'), text('clientKeyData')];
  if (token === undefined && certificate === undefined) throw no('gave neither a token nor a certificate');
  if ((certificate === undefined) !== (key === undefined)) throw no('gave a certificate or a key without the other');
  const expires = new Date(text('expirationTimestamp') ?? Number.NaN);
  return {
    ...(token === undefined ? {} : { token }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
    ...(Number.isNaN(expires.getTime()) ? {} : { expires }),
  };
}

/** The error of JSON.parse would quote what was printed, which may be the token itself. */
function parsed(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
