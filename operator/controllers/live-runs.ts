import { type KubeApi, RESOURCES } from '../kube/api.ts';
import type { RunObject } from '../kube/objects.ts';
import { pages } from '../kube/pages.ts';
import { kept } from './kept.ts';

/** Every run that names the program, as the API server has them. */
export async function liveRunsOf(namespace: string, program: string, api: KubeApi): Promise<readonly RunObject[]> {
  const runs: RunObject[] = [];
  for await (const { items } of pages<RunObject>(api, RESOURCES.retentionRuns, { namespace })) {
    // One that is not as a run should be is of no program.
    runs.push(...items.filter(({ spec }) => spec?.programRef?.name === program).map((run) => kept(run)));
  }
  return runs;
}
