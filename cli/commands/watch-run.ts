import { printable } from '../../base/text/printable.ts';
import { messageAsCalled } from '../called-as.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { followRun } from '../cluster/follow-run.ts';
import type { RunView } from '../cluster/run-view.ts';
import type { Io } from '../io.ts';
import { Stopped } from '../stopped.ts';
import { reachOn } from '../terminal/reach.ts';
import { canvasOn } from '../terminal/redraw.ts';
import { remedyOf, runLines } from '../terminal/run-lines.ts';

const SECOND_MS = 1000;

/**
 * Draws a run on stderr as it goes, until it is over; then prints how it ended. Resolves to the exit status: 0 where it
 * ended as it was to, otherwise 1.
 * @param wanted how it is to end
 * @throws as `followRun`
 */
export async function watchRun(
  cluster: Cluster,
  first: RunView,
  { output }: { readonly output: string },
  io: Io,
  wanted: 'Succeeded' | 'Cancelled' = 'Succeeded',
): Promise<number> {
  const canvas = canvasOn(io.stderr);
  const isTerminal = io.stderr.isTTY === true;
  let view = first;
  const reach = reachOn(canvas);
  const draw = () => canvas.draw(runLines(view, isTerminal ? io.now() : undefined));
  draw();
  // What is under way has taken a second longer.
  const ticking = isTerminal ? setInterval(draw, SECOND_MS) : undefined;
  try {
    view = await followRun(
      cluster,
      first.run,
      {
        show(next) {
          reach.found();
          view = next;
          draw();
        },
        lost: reach.lost,
      },
      { signal: io.signal, random: Math.random },
    );
  } catch (error) {
    if (!io.signal.aborted) throw error;
    const goes = wanted === 'Cancelled' ? 'will be cancelled all the same' : 'goes on';
    const message = `stopped looking; the run ${first.run} ${goes} in ${cluster.place}`;
    throw new Stopped(message, error);
  } finally {
    clearInterval(ticking);
  }
  io.stdout.write(output === 'json' ? `${JSON.stringify(view)}\n` : ending(view, io));
  return view.phase === wanted ? 0 : 1;
}

/** How a run ended, and what to do about it. */
function ending(view: RunView, io: Io): string {
  const remedy = view.phase === 'Failed' ? remedyOf(view) : undefined;
  const lines = [`${view.run} ${view.phase}: ${view.message}`, ...(remedy === undefined ? [] : [remedy])];
  return lines.map((line) => `${messageAsCalled(printable(line), io)}\n`).join('');
}
