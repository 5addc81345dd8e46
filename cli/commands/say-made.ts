import { withCommandAsCalled } from '../called-as.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { RunView } from '../cluster/run-view.ts';
import type { WhereOptions } from '../cluster/where.ts';
import type { Io } from '../io.ts';
import { watchRun } from './watch-run.ts';
import { sameCluster } from './where.ts';

interface Options extends WhereOptions {
  readonly wait?: boolean;
  readonly output: 'text' | 'json';
}

/** Says that a run is made, and how to follow it; or follows it, and resolves to how it ended. */
export async function sayMade(
  cluster: Cluster,
  made: RunView,
  what: string,
  options: Options,
  io: Io,
): Promise<number> {
  if (options.wait === true) return await watchRun(cluster, made, options, io);
  const command = `holdfast status --run ${made.run} --watch ${sameCluster(options, io)}`.trimEnd();
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify(made)}\n`
      : `${made.run} is made, for the slot ${made.slot}${what}; to follow it:\n  ${withCommandAsCalled(command, io)}\n`,
  );
  return 0;
}
