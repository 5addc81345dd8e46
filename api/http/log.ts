/** What is logged of a request: never its path, query or address, which name customers. */
export interface LoggedRequest {
  readonly method: string;
  /** Template of the route. */
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly requestId: string;
  /** Code of the problem, if it was one. */
  readonly code?: string | undefined;
  /** For failures of our own: what a programmer needs. */
  readonly cause?: string | undefined;
}

export interface Log {
  request(entry: LoggedRequest): void;
  event(message: string, more?: Readonly<Record<string, unknown>>): void;
  /** Writes what is waiting. */
  flush(): void;
}

const WAIT_MS = 100;
/** Characters. */
const MOST_WAITING = 16_384;

/** One JSON object a line. Lines of a moment are written at once: a write for each would cost more than its request. */
export function jsonLog(write: (text: string) => unknown, now: () => Date): Log {
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting;
    waiting = '';
    if (text !== '') write(text);
  };
  const line = (entry: object) => {
    waiting += `${JSON.stringify(entry)}\n`;
    if (waiting.length > MOST_WAITING) flush();
    else timer ??= setTimeout(flush, WAIT_MS).unref();
  };
  return {
    request({ method, route, status, milliseconds, requestId, code, cause }) {
      const level = status >= 500 ? 'error' : 'info';
      const ms = Math.round(milliseconds * 10) / 10;
      line({ time: now().toISOString(), level, message: 'request', method, route, status, ms, requestId, code, cause });
    },
    event: (message, more = {}) => line({ time: now().toISOString(), level: 'info', message, ...more }),
    flush,
  };
}
