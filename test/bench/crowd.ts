import type { ControlPlane } from '../cluster/control-plane.ts';
import { program, run } from '../support/program.ts';
import { dailyAt, NEWEST_SLOT } from './shop.ts';

/** A namespace with many programs and the runs that people made of them long ago, which stay until they delete them. */
export async function makeCrowd(
  { request }: ControlPlane,
  namespace: string,
  sizes: { readonly programs: number; readonly runs: number },
): Promise<void> {
  const path = `/apis/holdfast.dev/v1alpha1/namespaces/${namespace}`;
  const ask = async (method: string, to: string, body: object) => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : undefined;
    const answer = await request(method, to, body, contentType);
    if (answer.status >= 300) throw new Error(`${method} ${to}: ${answer.status} ${answer.body.message}`);
  };
  await ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  const names = Array.from({ length: sizes.programs }, (_, index) => `program-${index + 1}`);
  for (const name of names) {
    const { metadata, ...rest } = program({ batchSchedule: dailyAt(NEWEST_SLOT), programId: name }, name);
    await ask('POST', `${path}/retentionprograms`, { ...rest, metadata: { ...metadata, namespace } });
  }
  const status = pastStatus(NEWEST_SLOT.toISOString());
  for (let index = 0; index < sizes.runs; index += 1) {
    const name = names[index % names.length] as string;
    const { metadata, ...rest } = run(`${name}-${index}`, { programRef: { name } });
    await ask('POST', `${path}/retentionruns`, { ...rest, metadata: { ...metadata, namespace } });
    await ask('PATCH', `${path}/retentionruns/${metadata.name}/status`, { status });
  }
}

/** As large as the operator leaves it. */
function pastStatus(slot: string): object {
  const times = { startTime: slot, completionTime: slot };
  return {
    phase: 'Succeeded',
    observedGeneration: 1,
    revision: 'program-0123456789ab',
    slot,
    ...times,
    stages: ['extract', 'filter', 'score', 'offer', 'store'].map((name) => ({
      ...times,
      name,
      phase: 'Succeeded',
      task: name,
      job: `a-run-of-a-program-${name}-1`,
      attempt: 1,
      rowsIn: 100,
      rowsOut: 10,
      counts: { candidates: 10, 'removed.trust': 1 },
    })),
    conditions: ['Complete', 'Failed', 'Reconciling', 'Stalled'].map((type) => ({
      type,
      status: type === 'Complete' ? 'True' : 'False',
      reason: 'Succeeded',
      message: 'every task is done',
      observedGeneration: 1,
      lastTransitionTime: slot,
    })),
  };
}
