import { listPrograms } from '../../database/runs/programs.ts';
import type { RunRecord } from '../../database/runs/runs.ts';
import { notFound, route } from '../http/route.ts';
import { listOf, noQuery, type Program, program } from './schemas.ts';

/** More programs than a namespace has. */
export const MOST_PROGRAMS = 1000;

export const programsRoute = route({
  path: '/v1/namespaces/{namespace}/programs',
  operationId: 'listPrograms',
  summary: 'Programs of a namespace that have run, by name.',
  query: noQuery,
  response: listOf(program, 'Programs.'),
  responseName: 'ProgramList',
  async answer({ database }, { namespace = '' }) {
    const programs = await listPrograms(database, { namespaces: [namespace], limit: MOST_PROGRAMS });
    // An empty list would hide a name that is misspelt.
    if (programs.length === 0) throw notFound('no program has run in that namespace');
    return {
      items: programs.map(({ namespace, program, current, newest }) => ({
        name: program,
        namespace,
        currentBatch: summary(current),
        newestRun: summary(newest),
      })),
    };
  },
});

function summary(run: RunRecord | undefined): Program['newestRun'] {
  if (run === undefined) return null;
  const { phase, slot, startedAt, publishedAt } = run;
  return {
    name: run.run,
    phase,
    slot: slot.toISOString(),
    startedAt: startedAt.toISOString(),
    publishedAt: publishedAt?.toISOString() ?? null,
  };
}
