import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HoldfastError } from '../../base/errors.ts';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import { withEngine } from './in-stage.ts';
import { writeParts } from './parts.ts';
import { podRecorder } from './pod-recorder.ts';
import type { Recorder } from './recorder.ts';
import { inRun, type StageToRun, type Workplace } from './run-context.ts';
import { runStages } from './run-stages.ts';
import type { StageContext } from './stage.ts';

let batch: Batch;
beforeEach(async () => {
  batch = await openBatch();
});
afterEach(async () => batch[Symbol.asyncDispose]());

const onlooker = { elapsed: () => 0, step: () => ({ advance: () => {}, done: () => {}, failed: () => {} }) };

/** A stage that makes an artifact of one row, and notes which artifacts it was given. */
function stage(
  name: string,
  reads: readonly string[],
  given: Record<string, readonly string[]>,
  last = false,
): StageToRun {
  const work = (context: StageContext) =>
    writeParts(context, name, (parts) =>
      withEngine(context, name, async (engine) => {
        given[name] = Object.keys(context.inputs);
        const rows = await parts.write(engine, 'made.parquet', `SELECT '${name}' AS by`);
        return { rowsIn: rows, rowsOut: rows, counts: {}, artifact: await parts.commit({ rows, counts: {} }) };
      }),
    );
  return { name, reads, secrets: [], last, load: async () => work };
}

/** Of a pipeline whose last stage reads the first one alone. */
function pipeline(given: Record<string, readonly string[]>): StageToRun[] {
  return [stage('read', [], given), stage('sort', ['read'], given), stage('send', ['read'], given, true)];
}

const GIVEN = { read: [], sort: ['read'], send: ['read'] };

function recorder(change: Partial<Recorder> = {}): Recorder & { readonly log: string[] } {
  const log: string[] = [];
  return {
    log,
    earlier: async () => undefined,
    input: async (name) => {
      throw new Error(`asked for ${name}`);
    },
    stage: async ({ name }) => {
      log.push(name);
    },
    finish: async () => {
      log.push('finished');
    },
    fail: async ({ code }) => {
      log.push(code);
    },
    ...change,
  };
}

test('in one process, each stage is given exactly the artifacts that it reads', async () => {
  const given = {};
  const keeps = recorder();
  await runStages(batch.context({}), pipeline(given), keeps, onlooker);
  expect(given).toEqual(GIVEN);
  expect(keeps.log).toEqual(['read', 'sort', 'send', 'finished']);
});

test('in a process each, every stage is given exactly the artifacts that it reads', async () => {
  const given = {};
  const context = batch.context({});
  const { identity, artifacts, now } = context;
  for (const one of pipeline(given)) {
    // Of a dry run: it has no record, and opens what it reads.
    const pod = podRecorder({
      identity,
      artifacts,
      record: undefined,
      database: {} as never,
      last: one.last,
      now,
      warn() {},
    });
    await runStages(context, [one], pod, onlooker);
  }
  expect(given).toEqual(GIVEN);
});

test('a stage that was done before is not done again, and what it made is opened by the stage that reads it', async () => {
  const context = batch.context({});
  const before = recorder();
  const [read] = await runStages(context, [stage('read', [], {})], before, onlooker);
  const given = {};
  const keeps = recorder({
    earlier: async (name) => (name === 'read' ? read : undefined),
    input: (name) => context.artifacts.open({ ...context.identity, stage: name }),
  });
  const reports = await runStages(context, pipeline(given), keeps, onlooker);
  expect(reports[0]).toBe(read);
  expect(given).toEqual({ sort: ['read'], send: ['read'] });
  expect(keeps.log).toEqual(['sort', 'send', 'finished']);
});

test('a failure is told to the recorder, and the stages after it are not begun', async () => {
  const given: Record<string, readonly string[]> = {};
  const [read, sort, send] = pipeline(given) as [StageToRun, StageToRun, StageToRun];
  const broken = async () => {
    throw new HoldfastError('HF_COLUMN_MISSING', 'no such column');
  };
  const { artifacts: _store, inputs: _inputs, progress: _progress, ...context } = batch.context({});
  const place: Workplace = { ...context, artifactRoot: batch.folder, claimant: undefined };
  const keeps = recorder();
  const ran = inRun(place, keeps, (run) =>
    runStages(run, [read, { ...sort, load: async () => broken }, send], keeps, onlooker),
  );
  await expect(ran).rejects.toMatchObject({ code: 'HF_COLUMN_MISSING' });
  expect(keeps.log).toEqual(['read', 'HF_COLUMN_MISSING']);
  expect(Object.keys(given)).toEqual(['read']);
});

test('the connections of warehouses are given to the stages that need them, and to no others', async () => {
  const seen: Record<string, readonly string[]> = {};
  const look = (name: string, secrets: StageToRun['secrets']): StageToRun => ({
    ...stage(name, [], {}),
    secrets,
    load: async () => async (context) => {
      seen[name] = Object.keys(context.connectors.sources);
      return { rowsIn: 0, rowsOut: 0, counts: {} };
    },
  });
  const context = batch.context({}, { connectors: { sources: { crm: 'postgres://reader@db/crm' } } });
  await runStages(context, [look('read', ['connections']), look('sort', ['modelTokens'])], recorder(), onlooker);
  expect(seen).toEqual({ read: ['crm'], sort: [] });
});
