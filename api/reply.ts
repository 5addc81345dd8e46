import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** What every response says: nobody keeps it, frames it, guesses its type, or learns where a reader came from. */
export const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** A page may have its own style sheet, pictures and forms; nothing of another host, and no script at all. */
export const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // Without a referrer at all a browser does not say where a form comes from, either.
  'Referrer-Policy': 'same-origin',
} as const;

export const JSON_TYPE = 'application/json; charset=utf-8';
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Ends a response with a text; HEAD gets all but the text itself. */
export function reply(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    ...HEADERS,
    'X-Request-Id': response.getHeader('x-request-id') ?? '',
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
