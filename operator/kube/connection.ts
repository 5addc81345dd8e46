import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { KubeError } from './api.ts';
import { type ConnectionSource, loadKubeconfig } from './kubeconfig.ts';

/** Idle connections are probed this often, so that one whose other end is gone is noticed. */
const PROBE_AFTER_MS = 30_000;

export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
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

/**
 * Reads the credentials at once.
 * @throws UnusableKubeconfig
 */
export function connect(source: ConnectionSource): Connection {
  let config = loadKubeconfig(source);
  let agent: http.Agent | undefined;
  let agentFor = '';

  async function prepare(outgoing: Outgoing): Promise<{ server: URL; options: Options }> {
    const cluster = config.getCurrentCluster();
    if (cluster === null) {
      throw new Error('The kubeconfig has no cluster in its current context.');
    }
    const options: Options = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (cause) {
      // Such as a program that gives a token and fails, or a file of a certificate that is gone.
      const no = (why: string, because?: unknown) =>
        new KubeError(0, 'NoCredentials', `the credentials cannot be had: ${why}`, { cause: because });
      // These quote what the program printed, which may be the token itself.
      const isUnreadable = cause instanceof SyntaxError || cause instanceof TypeError;
      if (isUnreadable && config.getCurrentUser()?.exec) throw no('what their program printed is none');
      const why = cause instanceof Error ? cause.message.trim() : String(cause);
      throw no(why === '' ? 'their program failed, and said nothing' : why, cause);
    }
    const server = new URL(cluster.server);
    // The library's own agent opens a connection for every request; it is kept where it knows the way through a proxy.
    if (!cluster.proxyUrl) {
      const print = fingerprint(options);
      if (agent === undefined || agentFor !== print) {
        const kept = { keepAlive: true, keepAliveMsecs: PROBE_AFTER_MS };
        agent = server.protocol === 'https:' ? new https.Agent(kept) : new http.Agent(kept);
        agentFor = print;
      }
      options.agent = agent;
    }
    options.headers = { ...options.headers, ...outgoing.headers };
    const { Authorization: authorization } = options.headers;
    if (typeof authorization === 'string') {
      // Token files end in a newline as often as not, which no header may hold.
      options.headers['Authorization'] = authorization.trim();
    }
    return { server, options };
  }

  async function once(outgoing: Outgoing): Promise<{ response: http.IncomingMessage; credential: unknown }> {
    const { server, options } = await prepare(outgoing);
    const credential = options.headers?.['Authorization'];
    try {
      return { response: await request(server, options, outgoing), credential };
    } catch (error) {
      if (outgoing.method === 'GET' && closedMeanwhile(error) && !outgoing.signal.aborted) {
        return { response: await request(server, options, outgoing), credential };
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
        config = loadKubeconfig(source);
        const { options } = await prepare(outgoing);
        if (options.headers?.['Authorization'] === first.credential) {
          return first.response;
        }
        first.response.destroy();
        return (await once(outgoing)).response;
      } catch (cause) {
        if (cause instanceof KubeError && !outgoing.signal.aborted) throw cause;
        const why = cause instanceof Error ? cause.message : String(cause);
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
