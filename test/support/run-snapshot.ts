import { PIPELINES } from '../../contract/pipelines.ts';
import { NO_ATTEMPTS } from '../../operator/decide/action.ts';
import type { RunSnapshot } from '../../operator/decide/run/snapshot.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import { run, STAGE_SETTINGS, storedProgram } from './program.ts';

/** A run as the API server holds it, made a second after the slot of Monday at two. */
export function storedRun(
  name: string,
  spec: Partial<RunObject['spec']> = {},
  status?: RunObject['status'],
  creationTimestamp = '2026-11-23T02:00:01Z',
): RunObject {
  const metadata = { name, namespace: 'shop', uid: `${name}-uid`, resourceVersion: '7', generation: 1 };
  const made = { ...run(name, spec), metadata: { ...metadata, creationTimestamp } };
  return { ...made, ...(status === undefined ? {} : { status }) } as RunObject;
}

/** A run that nobody has looked at yet, and nothing in its way. */
export function runSnapshot(change: Partial<RunSnapshot> = {}): RunSnapshot {
  return {
    run: storedRun('weekly', { slot: '2026-11-23T02:00:00Z' }),
    program: storedProgram(),
    others: [],
    begun: new Set(),
    succeeded: [],
    hasRoom: true,
    twins: [],
    revision: undefined,
    jobs: new Map(),
    pods: [],
    lastWarning: undefined,
    attempts: NO_ATTEMPTS,
    settings: STAGE_SETTINGS,
    pipelines: PIPELINES,
    ...change,
  };
}
