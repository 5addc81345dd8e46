import { findRun, hasProgram, listRuns, type RunRecord } from '../../database/runs/runs.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { notFound, route } from '../http/route.ts';
import { noQuery, pageOf, type Run, run, runQuery } from './schemas.ts';

export const runsRoute = route({
  path: '/v1/namespaces/{namespace}/programs/{program}/runs',
  operationId: 'listRuns',
  summary: 'Runs of a program, newest first.',
  query: runQuery,
  response: pageOf(run, 'A page of runs.'),
  responseName: 'RunPage',
  async answer({ database }, { namespace = '', program = '' }, { limit, cursor }) {
    const key = { namespace, owner: program };
    const identity = ['runs', namespace, program];
    const before = cursor === undefined ? undefined : sequenceOf(cursor, identity);
    const found = await listRuns(database, { ...key, before, limit: limit + 1 });
    if (found.length === 0 && !(await hasProgram(database, key))) {
      throw notFound('no program of that name has run in that namespace');
    }
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return {
      items: page.map(toRun),
      nextCursor: last === undefined ? null : encodeCursor(identity, [last.sequence]),
    };
  },
});

export const runRoute = route({
  path: '/v1/namespaces/{namespace}/programs/{program}/runs/{run}',
  operationId: 'getRun',
  summary: 'One run, with what each stage reported.',
  query: noQuery,
  response: run,
  responseName: 'Run',
  async answer({ database }, { namespace = '', program = '', run: name = '' }) {
    const found = await findRun(database, { namespace, owner: program, run: name });
    if (found === undefined) throw notFound('the program has no run of that name');
    return toRun(found);
  },
});

function sequenceOf(cursor: string, identity: readonly unknown[]): number {
  const [sequence] = decodeCursor(cursor, identity, ['integer']);
  return Math.max(0, Number(sequence));
}

function toRun(record: RunRecord): Run {
  const { namespace, owner, pipeline, phase, trigger, sequence, attempt, revision, error } = record;
  return {
    name: record.run,
    program: owner,
    namespace,
    pipeline,
    phase,
    trigger,
    retryOf: record.retryOf ?? null,
    slot: record.slot.toISOString(),
    sequence,
    attempt,
    revision,
    startedAt: record.startedAt.toISOString(),
    finishedAt: record.finishedAt?.toISOString() ?? null,
    seconds: record.seconds ?? null,
    publishedAt: record.publishedAt?.toISOString() ?? null,
    discardedAt: record.discardedAt?.toISOString() ?? null,
    stages: record.stages.map(({ name, rowsIn, rowsOut, seconds, counts, reusedFrom }) => ({
      name,
      rowsIn,
      rowsOut,
      seconds,
      counts: { ...counts },
      warnings: record.warnings.filter(({ stage }) => stage === name).map(({ message }) => message),
      ...(reusedFrom === undefined ? {} : { reusedFrom }),
    })),
    warnings: record.warnings.map((warning) => ({ ...warning })),
    error: error ?? null,
  };
}
