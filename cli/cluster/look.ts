import { RESOURCES } from '../../operator/kube/api.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { pages } from '../../operator/kube/pages.ts';
import type { Cluster } from './cluster.ts';
import { type ProgramView, programView } from './program-view.ts';
import { isOver, type RunView, viewOf } from './run-view.ts';

/**
 * Programs of the namespace as they are now, by name, with their runs that are not over; of one, or of all.
 * @throws as `Cluster.ask`
 */
export async function lookAtPrograms(
  cluster: Cluster,
  name: string | undefined,
  signal: AbortSignal,
): Promise<readonly ProgramView[]> {
  const { namespace } = cluster;
  const runs: RunView[] = [];
  await cluster.ask('list', RESOURCES.retentionRuns, async (api) => {
    for await (const { items } of pages<RunObject>(api, RESOURCES.retentionRuns, { namespace }, signal)) {
      // Thousands may be over; a page of them is let go before the next.
      runs.push(...items.map(viewOf).filter((run) => !isOver(run) && (name === undefined || run.program === name)));
    }
  });
  const ofProgram = Map.groupBy(runs, ({ program }) => program);
  const programs: ProgramView[] = [];
  await cluster.ask('list', RESOURCES.retentionPrograms, async (api) => {
    const scope = { namespace, ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }) };
    for await (const { items } of pages<ProgramObject>(api, RESOURCES.retentionPrograms, scope, signal)) {
      programs.push(...items.map((one) => programView(one, ofProgram.get(one.metadata.name) ?? [])));
    }
  });
  return programs.toSorted((a, b) => a.program.localeCompare(b.program));
}
