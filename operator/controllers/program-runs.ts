import { type ObjectKey, RESOURCES, splitKey } from '../kube/api.ts';
import type { RunObject } from '../kube/objects.ts';
import { pages } from '../kube/pages.ts';
import type { Context } from './context.ts';
import { kept } from './kept.ts';
import { type Known, withExisting } from './kind.ts';

/** Every run that names the program; as the API server has them where that matters. */
export async function runsOfProgram(key: ObjectKey, known: Known, context: Context): Promise<readonly RunObject[]> {
  const { api, caches, newest } = context;
  if (known.freshness !== 'all') {
    return withExisting(caches.runs.byIndex('program', key), RESOURCES.retentionRuns, known).map((run) => newest(run));
  }
  const { namespace, name } = splitKey(key);
  const runs: RunObject[] = [];
  for await (const { items } of pages<RunObject>(api, RESOURCES.retentionRuns, { namespace })) {
    // One that is not as a run should be is of no program.
    runs.push(...items.filter(({ spec }) => spec?.programRef?.name === name).map((run) => kept(run)));
  }
  return runs;
}
