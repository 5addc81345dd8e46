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

/** One JSON object a line; lines of one turn of the event loop are written at once. */
export function jsonLog(write: (text: string) => unknown, now: () => Date): Log {
  let waiting = '';
  const flush = () => {
    const text = waiting;
    waiting = '';
    if (text !== '') write(text);
  };
  const line = (entry: object) => {
    if (waiting === '') setImmediate(flush);
    waiting += `${JSON.stringify(entry)}\n`;
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
