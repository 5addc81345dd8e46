import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FileOfPieces } from './v1/downloads.ts';

/** What every response says: nobody keeps it, frames it, embeds it elsewhere, guesses its type, or learns where a reader came from. */
export const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
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

/**
 * Sends a file piece by piece, as fast as the client takes it. The first piece comes before the head, so that what fails
 * at once is answered as any failure is; a later one cuts the connection, by which a client knows that it has not all.
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { type, name, pieces }: FileOfPieces,
  headers: OutgoingHttpHeaders = {},
): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  response.writeHead(200, {
    ...HEADERS,
    'X-Request-Id': response.getHeader('x-request-id') ?? '',
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"`,
    ...headers,
  });
  try {
    for (let piece = first; piece.done !== true && request.method !== 'HEAD'; piece = await iterator.next()) {
      if (response.closed) return;
      if (!response.write(piece.value)) await roomIn(response);
    }
    response.end();
  } finally {
    await iterator.return?.();
  }
}

/** When the client has taken what was sent, or has gone away. */
function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.on('drain', settle).on('close', settle);
    if (response.closed) settle();
  });
}

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
