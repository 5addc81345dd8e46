import type { IncomingMessage } from 'node:http';
import { KubeError, type Status } from './api.ts';

/** For answers of a proxy in between, which know no reasons. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** Longest text of an answer that is no Status, such as the error page of a proxy, that a message repeats. */
const LONGEST_QUOTE = 200;

function parse(body: string): Status {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return { message: body.slice(0, LONGEST_QUOTE).trim() };
  }
}

/** A namespace on its way out forbids everything new; among the causes, as no reason of its own is given to that. */
const TERMINATING = 'NamespaceTerminating';

function reasonOf({ reason, details }: Status, status: number): string {
  if (details?.causes?.some((cause) => cause.reason === TERMINATING)) return TERMINATING;
  return reason ?? REASONS[status] ?? 'Unknown';
}

/** @param what method and path, for the message */
export function refusal(what: string, response: IncomingMessage, body: string): KubeError {
  const status = response.statusCode ?? 0;
  const said = parse(body);
  const header = Number(response.headers['retry-after'] ?? Number.NaN);
  return new KubeError(status, reasonOf(said, status), `${what}: ${said.message || `status ${status}`}`, {
    retryAfterSeconds: Number.isFinite(header) ? header : said.details?.retryAfterSeconds,
    said,
  });
}

/** The error event that ends a watch. */
export function refusalInStream(what: string, said: Status): KubeError {
  const status = said.code ?? 500;
  return new KubeError(status, reasonOf(said, status), `${what}: ${said.message ?? 'ended'}`, {
    retryAfterSeconds: said.details?.retryAfterSeconds,
    said,
  });
}
