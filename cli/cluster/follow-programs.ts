import { RESOURCES } from '../../operator/kube/api.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { type ProgramView, programView } from './program-view.ts';
import { isOver, viewOf } from './run-view.ts';
import { type WatchSettings, watching } from './watching.ts';

export interface ProgramsFollower extends Pick<WatchSettings, 'lost'> {
  readonly show: (programs: readonly ProgramView[]) => void;
}

/** Several changes at once are one picture. */
const SETTLE_MS = 100;

/**
 * Follows a program, or all of the namespace, with their runs, by watches of the API server, until the signal.
 * @throws HF_INTERRUPTED at the signal, HF_CLUSTER_UNAUTHORIZED, HF_CLUSTER_FORBIDDEN, HF_NOT_INSTALLED
 */
export async function followPrograms(
  cluster: Cluster,
  name: string | undefined,
  { show, lost }: ProgramsFollower,
  settings: Omit<WatchSettings, 'lost'>,
): Promise<never> {
  return watching<never>(cluster, { ...settings, lost }, ({ watch }) => {
    let cancelDrawing: (() => void) | undefined;
    let hasAll = false;
    const draw = () => {
      cancelDrawing = undefined;
      if (!hasAll) return;
      const unfinished = runs.store.list().filter(({ status }) => !isOver({ phase: status?.phase ?? '' }));
      const ofProgram = Map.groupBy(unfinished.map(viewOf), ({ program }) => program);
      const views = programs.store.list().map((one) => programView(one, ofProgram.get(one.metadata.name) ?? []));
      show(views.toSorted((a, b) => a.program.localeCompare(b.program)));
    };
    const onChange = () => (cancelDrawing ??= systemClock.setTimeout(draw, SETTLE_MS));
    const programs = watch<ProgramObject>(RESOURCES.retentionPrograms, {
      onChange,
      ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    });
    const runs = watch<RunObject>(RESOURCES.retentionRuns, { onChange, keep: onlyWhileUnfinished });
    // Before that a program would be missing that is on a later page, and what a run is doing.
    Promise.all([programs.synced, runs.synced]).then(
      () => {
        hasAll = true;
        onChange();
      },
      () => {},
    );
    return () => cancelDrawing?.();
  });
}

/** Of a run that is over no more than that it is: there may be thousands. */
function onlyWhileUnfinished(run: RunObject): RunObject {
  const phase = run.status?.phase;
  if (phase === undefined || !isOver({ phase })) return run;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = run.metadata;
  return {
    apiVersion: run.apiVersion,
    kind: run.kind,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: run.spec,
    status: { phase },
  };
}
