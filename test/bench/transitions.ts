import type { JobObject } from '../../operator/kube/objects.ts';
import { ANNOTATIONS } from '../../operator/objects/labels.ts';

interface Life {
  readonly name: string;
  readonly attempt: number;
  readonly createdAt: number;
  completedAt?: number;
}

/** When each Job of each run was seen to be created, and to be complete. */
export interface JobTimes {
  /** To be called with every Job that comes or changes. */
  see(job: JobObject): void;
  /**
   * From one Job seen complete to the next one of the same run seen created, in milliseconds. Both are read off one
   * watch by one clock, so what is measured is the whole way: the API server tells the operator, the operator reads the
   * pod's report and decides, asks for the next Job, and the API server tells us of it.
   */
  transitions(runs: ReadonlySet<string>): readonly number[];
  /** The Jobs of a run in the order in which they came. */
  of(run: string): readonly Life[];
}

export function jobTimes(): JobTimes {
  const byRun = new Map<string, Map<string, Life>>();
  const of = (run: string): readonly Life[] => [...(byRun.get(run)?.values() ?? [])];
  return {
    see({ metadata, status }) {
      const at = performance.now();
      const run = metadata.annotations?.[ANNOTATIONS.run];
      if (run === undefined) return;
      const jobs = byRun.get(run) ?? new Map<string, Life>();
      byRun.set(run, jobs);
      const { name } = metadata;
      const life = jobs.get(name) ?? {
        name,
        attempt: Number(metadata.labels?.['holdfast.dev/attempt']),
        createdAt: at,
      };
      jobs.set(name, life);
      if (status?.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') === true) {
        life.completedAt ??= at;
      }
    },
    transitions: (runs) =>
      [...runs].flatMap((run) => {
        const jobs = of(run);
        return jobs.slice(1).map(({ name, createdAt }, index) => {
          const completedAt = jobs[index]?.completedAt;
          if (completedAt === undefined) throw new Error(`${name} was made before the task before it was done`);
          return createdAt - completedAt;
        });
      }),
    of,
  };
}
