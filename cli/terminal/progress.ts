import type { Io } from '../io.ts';
import { duration, integer, rate } from './figures.ts';

/** Tells a person how far a run is: bars on a terminal, plain lines otherwise. Always on stderr. */
export interface Progress {
  /** Starts a step; its line is finished by `done` or left as it is by `failed`. */
  step(name: string): Step;
  /** Says that a step is not taken, since another run has. */
  reused(name: string, run: string): void;
}

export interface Step {
  /** Rows so far, of `total` once that is known. */
  advance(done: number, total?: number): void;
  done(rowsIn: number, rowsOut: number): void;
  failed(): void;
}

const BAR = 24;
/** A terminal is redrawn at most this often, and a log gets at most one line of progress per `LOG_INTERVAL`. */
const REDRAW_INTERVAL = 80;
const LOG_INTERVAL = 10_000;
/** The widest of the batch's names of steps, those of samples and prune among them. */
const NAME = 9;

/** @param names of the steps, where they may be wider than those of a batch */
export function terminalProgress(
  { stderr, elapsed }: Pick<Io, 'stderr' | 'elapsed'>,
  names: readonly string[] = [],
): Progress {
  const terminal = stderr.isTTY === true;
  const width = Math.max(NAME, ...names.map(({ length }) => length));
  return {
    reused: (name, run) => stderr.write(`${name.padEnd(width)}  reused from ${run}\n`),
    step(name) {
      const started = elapsed();
      let shown = terminal ? Number.NEGATIVE_INFINITY : started;
      const draw = (text: string) => stderr.write(terminal ? `\r\u001B[K${text}` : `${text}\n`);
      if (terminal) draw(`${name.padEnd(width)}  …`);
      return {
        advance(done, total) {
          const now = elapsed();
          if (now - shown < (terminal ? REDRAW_INTERVAL : LOG_INTERVAL)) return;
          shown = now;
          draw(`${name.padEnd(width)}  ${share(done, total)}  ${rate(done, (now - started) / 1000)}`.trimEnd());
        },
        done(rowsIn, rowsOut) {
          const seconds = (elapsed() - started) / 1000;
          const rows = rowsIn === 0 && rowsOut === 0 ? '' : `${integer(rowsIn)} → ${integer(rowsOut)}`;
          const line = `${name.padEnd(width)}  ${rows.padEnd(20)}  ${duration(seconds).padStart(7)}  ${rate(rowsIn, seconds)}`;
          draw(line.trimEnd());
          if (terminal) stderr.write('\n');
        },
        failed() {
          draw(`${name.padEnd(width)}  failed after ${duration((elapsed() - started) / 1000)}`);
          if (terminal) stderr.write('\n');
        },
      };
    },
  };
}

function share(done: number, total: number | undefined): string {
  if (total === undefined || total <= 0) return integer(done);
  const filled = Math.min(BAR, Math.round((done / total) * BAR));
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}  ${integer(done)} of ${integer(total)}`;
}
