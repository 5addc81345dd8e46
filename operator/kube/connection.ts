import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { KubeError } from './api.ts';
import type { Clock } from './clock.ts';
import { execLogin } from './exec-login.ts';
import type { ExecCredential, Person } from './exec-plugin.ts';
import { type ConnectionSource, type LoadedKubeconfig, loadKubeconfig } from './kubeconfig.ts';

/** Idle connections are probed this often, so that one whose other end is gone is noticed. */
const PROBE_AFTER_MS = 30_000;

export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  /** Waits for a login, which may take as long as a person does, outside the request's own time. */
  readonly whileLoggingIn?: <T>(login: Promise<T>) => Promise<T>;
}

/** One API server, with TLS and credentials that are read again as they rotate. */
export interface Connection {
  /** Resolves with the answer's head, whatever its status; the caller reads or destroys its body. */
  send(request: Outgoing): Promise<http.IncomingMessage>;
  /** Closes connections that nothing is using. */
  close(): void;
}

type Options = Omit<https.RequestOptions, 'headers'> & { headers?: http.OutgoingHttpHeaders };

function fingerprint(options: Options): string {
  // Certificates and keys come as Buffers, which JSON knows how to write.
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const parts = JSON.stringify([ca, cert, key, servername, rejectUnauthorized]);
  return createHash('sha256').update(parts).digest('hex');
}

/** Resolves with the first answer; rejects as Node does, with a code such as ECONNREFUSED. */
function request(server: URL, options: Options, outgoing: Outgoing): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const transport = server.protocol === 'https:' ? https : http;
    const url = new URL(server.pathname.replace(/\/$/, '') + outgoing.path, server);
    const call = transport.request(url, { ...options, method: outgoing.method, signal: outgoing.signal });
    call.once('response', resolve);
    call.on('error', (error) => reject(Object.assign(error, { reusedSocket: call.reusedSocket })));
    call.end(outgoing.body);
  });
}

/** A kept connection that the server closed just as we used it: a read may be asked again. */
function closedMeanwhile(error: unknown): boolean {
  const { code, reusedSocket } = error as { code?: string; reusedSocket?: boolean };
  return reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** What was shown of who we are. */
function shownBy(options: Options): string {
  return JSON.stringify([options.headers?.['Authorization'], fingerprint(options)]);
}

const NOBODY_TO_ASK: Person = { canAnswer: false, tell: () => {} };

function apply(credential: ExecCredential | undefined, options: Pick<Options, 'headers' | 'cert' | 'key'>): void {
  const { token, certificate, key } = credential ?? {};
  if (token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
  if (certificate === undefined || key === undefined) return;
  options.cert = certificate;
  options.key = key;
}

/** @throws KubeError with reason NoCredentials, such as for a file of a certificate that is gone */
async function optionsOf({ config }: LoadedKubeconfig): Promise<Options> {
  const options: Options = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new KubeError(0, 'NoCredentials', `the credentials cannot be had: ${why}`, { cause });
  }
  return options;
}

/** The proxy is named without the password that is in its address. */
function whyNoAnswer(cause: unknown, proxyUrl: string | undefined): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (proxyUrl === undefined) return why;
  const refused = /^Bad response: (\d+)$/.exec(why)?.[1];
  const { host } = new URL(proxyUrl);
  return `by the proxy ${host}: ${refused === undefined ? why : `it refuses with status ${refused}`}`;
}

/**
 * Reads the credentials at once, but for those of a login, which the first request runs.
 * @throws UnusableKubeconfig
 */
export function connect(source: ConnectionSource & { readonly clock: Clock }): Connection {
  const login = execLogin({
    environment: source.environment ?? process.env,
    person: source.person ?? NOBODY_TO_ASK,
    clock: source.clock,
  });
  let credential: ExecCredential | undefined;
  const load = (): LoadedKubeconfig => {
    const loaded = loadKubeconfig(source);
    loaded.config.addAuthenticator({
      isAuthProvider: () => loaded.user.plugin !== undefined,
      applyAuthentication: async (_, options) => apply(credential, options),
    });
    return loaded;
  };
  let loaded = load();
  let agent: http.Agent | undefined;
  let agentFor = '';

  async function prepare({ headers, signal, whileLoggingIn }: Outgoing): Promise<{ server: URL; options: Options }> {
    const { cluster, user } = loaded;
    if (user.plugin !== undefined) {
      const asked = login.credential(user.plugin, cluster, signal);
      credential = await (whileLoggingIn?.(asked) ?? asked);
    }
    let options = await optionsOf(loaded);
    const print = fingerprint(options);
    const isNew = agentFor !== '' && agentFor !== print;
    if (cluster.proxyUrl !== undefined) {
      // The library keeps the way through a proxy with the first certificate that it was shown.
      if (isNew) {
        loaded = load();
        options = await optionsOf(loaded);
      }
    } else {
      // The library's own agent opens a connection for every request.
      if (agent === undefined || isNew) {
        const kept = { keepAlive: true, keepAliveMsecs: PROBE_AFTER_MS };
        agent = cluster.server.startsWith('https:') ? new https.Agent(kept) : new http.Agent(kept);
      }
      options.agent = agent;
    }
    agentFor = print;
    options.headers = { ...options.headers, ...user.impersonation, ...headers };
    const { Authorization: authorization } = options.headers;
    if (typeof authorization === 'string') {
      // Token files end in a newline as often as not, which no header may hold.
      options.headers['Authorization'] = authorization.trim();
    }
    return { server: new URL(cluster.server), options };
  }

  async function once(outgoing: Outgoing): Promise<{ response: http.IncomingMessage; shown: string }> {
    const { server, options } = await prepare(outgoing);
    const shown = shownBy(options);
    try {
      return { response: await request(server, options, outgoing), shown };
    } catch (error) {
      if (outgoing.method === 'GET' && closedMeanwhile(error) && !outgoing.signal.aborted) {
        return { response: await request(server, options, outgoing), shown };
      }
      throw error;
    }
  }

  return {
    async send(outgoing) {
      try {
        const first = await once(outgoing);
        if (first.response.statusCode !== 401) {
          return first.response;
        }
        // The library keeps a token for a minute. It was refused, so nothing was done: ask again if there is a newer one.
        loaded = load();
        login.forget();
        const { options } = await prepare(outgoing);
        if (shownBy(options) === first.shown) {
          return first.response;
        }
        first.response.destroy();
        return (await once(outgoing)).response;
      } catch (cause) {
        if (cause instanceof KubeError && !outgoing.signal.aborted) throw cause;
        const why = whyNoAnswer(cause, loaded.cluster.proxyUrl);
        const path = outgoing.path.split('?')[0];
        if (outgoing.signal.aborted) {
          throw new KubeError(0, 'Aborted', `${outgoing.method} ${path} was given up.`, { cause });
        }
        throw new KubeError(0, 'Unreachable', `${outgoing.method} ${path}: no answer (${why})`, { cause });
      }
    },
    close() {
      agent?.destroy();
    },
  };
}
