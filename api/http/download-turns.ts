import { RequestError } from './problem.ts';
import type { Scope } from './sessions.ts';

/** Files of one token under way at once: each keeps a page of a list in memory, and asks Postgres for the next. */
const MOST_AT_ONCE = 4;
/** How long most files of a batch take. */
const RETRY_AFTER_SECONDS = 10;

/** Sends files, of each token so many at once. */
export type DownloadTurns = (scope: Scope, send: () => Promise<void>) => Promise<void>;

/** Tokens that open every namespace count as one. The result throws HF_TOO_MANY_DOWNLOADS. */
export function downloadTurns(): DownloadTurns {
  const underWay = new Map<Scope, number>();
  return async (scope, send) => {
    const others = underWay.get(scope) ?? 0;
    if (others >= MOST_AT_ONCE) throw tooMany();
    underWay.set(scope, others + 1);
    try {
      await send();
    } finally {
      const left = (underWay.get(scope) ?? 1) - 1;
      if (left === 0) underWay.delete(scope);
      else underWay.set(scope, left);
    }
  };
}

function tooMany(): RequestError {
  const message = `${MOST_AT_ONCE} files are under way for what this token opens, and no more at once: ask again when one has arrived`;
  return new RequestError(429, 'HF_TOO_MANY_DOWNLOADS', message, {
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
  });
}
