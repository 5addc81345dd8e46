import { HoldfastError } from '../../../base/errors.ts';

/** What an exchange may touch of the world, so that a test can give its own. */
export interface HttpWorld {
  readonly fetch: typeof fetch;
  /** Waits; rejects when the signal is aborted. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly now: () => Date;
}

export interface Exchange {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** A longer answer is refused. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
  /** What messages call the other side, such as `Model churn-risk-v6`. */
  readonly subject: string;
  /** Where a person puts the token. */
  readonly tokenPlace: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

const TIMEOUT_MS = 30_000;
const MOST_TRIES = 5;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
/** A server that wants to be left alone for longer than this is unavailable. */
const LONGEST_RETRY_AFTER_MS = 60_000;
const AGAIN = new Set([429, 502, 503, 504]);

/**
 * One request with its answer, tried again with growing, random waits where that can help. No redirect is followed: it
 * would take the token and the features to somewhere that nobody named. No message quotes what the server says, which may
 * quote what it was sent.
 * @throws HF_MODEL_UNREACHABLE when trying again did not help, HF_MODEL_MISSING, HF_MODEL_REFUSED, HF_INTERRUPTED
 */
export async function exchange(request: Exchange, world: HttpWorld): Promise<Answer> {
  const { subject, url, signal } = request;
  for (let tries = 1; ; tries += 1) {
    const tried = await attempt(request, world);
    if ('answer' in tried) return assertUsable(tried.answer, request);
    const wait = Math.max(backoff(tries, world.random()), tried.retryAfter ?? 0);
    if (!tried.again || tries === MOST_TRIES || wait > LONGEST_RETRY_AFTER_MS) {
      const times = tries === 1 ? '' : ` (${tries} tries)`;
      throw new HoldfastError('HF_MODEL_UNREACHABLE', `${subject}: ${origin(url)} ${tried.reason}${times}.`, {
        cause: tried.cause,
      });
    }
    await world.wait(wait, signal).catch(() => {});
    if (signal.aborted) throw interrupted(signal);
  }
}

type Attempt =
  | { readonly answer: Answer }
  | {
      readonly again: boolean;
      readonly reason: string;
      /** Milliseconds that the server asks to wait. */
      readonly retryAfter?: number;
      readonly cause?: unknown;
    };

async function attempt(request: Exchange, { fetch, now }: HttpWorld): Promise<Attempt> {
  const { url, method, headers, body, mostBytes, signal } = request;
  if (signal.aborted) throw interrupted(signal);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    });
    const { status } = response;
    if (AGAIN.has(status)) {
      await response.body?.cancel();
      const retryAfter = waitAsked(response.headers.get('retry-after'), now());
      return { again: true, reason: `answers ${status}`, ...(retryAfter === undefined ? {} : { retryAfter }) };
    }
    return { answer: { status, headers: response.headers, body: await readBounded(response, mostBytes, request) } };
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    if (signal.aborted) throw interrupted(signal);
    if (timeout.aborted) return { again: true, reason: `did not answer within ${TIMEOUT_MS / 1000} s`, cause: error };
    return unreachable(error);
  }
}

async function readBounded(response: Response, most: number, { subject }: Exchange): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > most)
      throw new HoldfastError('HF_MODEL_REFUSED', `${subject}: its answer is longer than ${most} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Certificates are a matter of configuration, which no second try mends. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH/;
const NOT_THERE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'cannot be reached: nothing listens there',
  ENOTFOUND: 'cannot be reached: the host is not known',
  EAI_AGAIN: 'cannot be reached: the host is not known',
};

function unreachable(error: unknown): Attempt {
  const code = codeOf(error);
  if (CERTIFICATE.test(code)) {
    const reason = `is not trusted (${code}): if its certificate is one of your own, name the authority in NODE_EXTRA_CA_CERTS (caBundle of the chart)`;
    return { again: false, reason, cause: error };
  }
  return { again: true, reason: NOT_THERE[code] ?? `ended the connection (${code})`, cause: error };
}

/** The system's own word for it, which fetch keeps in the cause. */
function codeOf(error: unknown): string {
  let at = error as { readonly code?: string; readonly name?: string; readonly cause?: unknown } | undefined;
  while (at?.code === undefined && at?.cause !== undefined) at = at.cause as typeof at;
  return at?.code ?? at?.name ?? 'no reason given';
}

function assertUsable(answer: Answer, { subject, url, tokenPlace }: Exchange): Answer {
  const { status } = answer;
  const refuse = (reason: string) => new HoldfastError('HF_MODEL_REFUSED', `${subject}: ${origin(url)} ${reason}.`);
  if (status >= 200 && status < 300) return answer;
  if (status === 401 || status === 403) {
    throw refuse(`answers ${status}: it wants another token than the one in ${tokenPlace}, or one at all`);
  }
  if (status === 404) {
    throw new HoldfastError('HF_MODEL_MISSING', `${subject}: ${origin(url)} answers 404: it has no such model.`);
  }
  if (status >= 300 && status < 400) {
    throw refuse(`answers ${status}, a redirect, which is not followed: name the address that it leads to`);
  }
  if (status >= 500) {
    throw new HoldfastError('HF_MODEL_UNREACHABLE', `${subject}: ${origin(url)} answers ${status}; look at its log.`);
  }
  throw refuse(`answers ${status}: look at its log for what it does not like`);
}

/** Milliseconds of a header Retry-After: seconds, or a date. */
function waitAsked(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const until = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isNaN(until) ? undefined : Math.max(0, until);
}

/** Anything up to a bound that doubles with each try, so that clients who failed together do not come back together. */
function backoff(tries: number, random: number): number {
  return random * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
}

function origin(url: string): string {
  return new URL(url).origin;
}

function interrupted({ reason }: AbortSignal): HoldfastError {
  if (reason instanceof HoldfastError) return reason;
  return new HoldfastError('HF_INTERRUPTED', 'The run was interrupted; run it again.', { cause: reason });
}
