import { RESOURCES, type Resource } from '../../operator/kube/api.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { startReflector } from '../../operator/kube/reflector.ts';
import type { Cluster } from './cluster.ts';
import { passesByItself } from './passing.ts';
import { type ProgramView, programView } from './program-view.ts';
import { isOver, viewOf } from './run-view.ts';

export interface ProgramsFollower {
  readonly show: (programs: readonly ProgramView[]) => void;
  readonly lost: (why: string) => void;
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
  { signal, random }: { readonly signal: AbortSignal; readonly random: () => number },
): Promise<never> {
  const end = Promise.withResolvers<never>();
  const { namespace } = cluster;
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
  const onError = (resource: Resource) => (error: unknown) => {
    const refusal = cluster.refusal('watch', resource, error);
    if (!passesByItself(error)) end.reject(refusal);
    else lost(refusal instanceof Error ? refusal.message : String(refusal));
  };
  const common = { namespace, clock: systemClock, random, onChange };
  const programs = startReflector<ProgramObject>(cluster.api, RESOURCES.retentionPrograms, {
    ...common,
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    onError: onError(RESOURCES.retentionPrograms),
  });
  const runs = startReflector<RunObject>(cluster.api, RESOURCES.retentionRuns, {
    ...common,
    keep: onlyWhileUnfinished,
    onError: onError(RESOURCES.retentionRuns),
  });
  // Before that a program would be missing that is on a later page, and what a run is doing.
  Promise.all([programs.synced, runs.synced]).then(
    () => {
      hasAll = true;
      onChange();
    },
    () => {},
  );
  const interrupted = () => end.reject(signal.reason);
  signal.addEventListener('abort', interrupted, { once: true });
  if (signal.aborted) interrupted();
  try {
    return await end.promise;
  } finally {
    signal.removeEventListener('abort', interrupted);
    cancelDrawing?.();
    await Promise.all([programs.stop(), runs.stop()]);
  }
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
