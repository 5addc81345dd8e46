import type { RunnablePipelines } from '../jobs/stages.ts';
import type { Providers } from '../providers/registry.ts';

/** What a command may touch of the process it runs in, so that a test can give its own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether standard input is a terminal, so that a login may ask. Default: it is not. */
  readonly canAnswer?: boolean;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
  /** What there is of providers. Default: what this version has. */
  readonly providers?: Providers;
  /** The pipelines that can be run. Default: those of this version. */
  readonly runnable?: RunnablePipelines;
}

/** The part of a stream that a command writes to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number | undefined;
}
