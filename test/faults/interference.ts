/** What is asked for, by its path: `jobs` of a namespace, perhaps one of them, perhaps its `status`. */
export interface Target {
  readonly resource: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** A request of the operator that changes something. */
export interface Write extends Target {
  /** From 1, over all lives of the operator: whether it was the first, second … of the same object in the same words. */
  readonly occurrence: number;
  readonly method: string;
  /** Whether it is for a Lease: how many of those there are depends on the time alone. */
  readonly lease: boolean;
  /** Name of the object, also of one that is made; of an event its reason. */
  readonly object: string;
  /** What it is in a few words, without names that change: `PATCH retentionruns/status`. */
  readonly words: string;
}

export interface Read extends Target {
  readonly query: URLSearchParams;
}

/** One event of a watch, as the line that carries it. Bookmarks are none. */
export interface WatchedEvent {
  readonly resource: string;
  readonly type: string;
  /** From 1: the how manieth of its resource and type. */
  readonly number: number;
  readonly line: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Instead of an answer: the connection is cut. */
export const CUT = Symbol('cut');

export type Outcome = Answer | typeof CUT;

/** A watch of the operator, seen from the middle. */
export interface WatchStream {
  readonly resource: string;
  /** Passes a line on. */
  send(line: string): void;
  /** Ends it as the API server does when its time is over. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
  /** Nothing comes any more, and the connection stays. */
  mute(): void;
}

/** What stands in the way. What it does not say passes. */
export interface Interference {
  /** `act` asks the API server. Not calling it means that the write never happened. */
  readonly write?: (write: Write, act: () => Promise<Outcome>) => Promise<Outcome>;
  /** A read that is no watch; `act` may be given another query. */
  readonly read?: (read: Read, act: (query?: URLSearchParams) => Promise<Outcome>) => Promise<Outcome>;
  /** A watch begins; undefined opens it. It may be held by waiting. */
  readonly watch?: (
    watch: Read,
  ) => Promise<{ readonly query?: URLSearchParams } | { readonly refuse: Outcome } | undefined>;
  /** An event came; those after it wait until this is done. */
  readonly event?: (event: WatchedEvent, stream: WatchStream) => Promise<void>;
}

/** An answer of the API server that says no. */
export function refusal(code: number, reason: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const message = `the fault says ${reason}`;
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message };
  return {
    status: code,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(status)),
  };
}
