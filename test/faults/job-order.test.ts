import { expect, test } from '@jest/globals';
import type { Pipelines } from '../../contract/pipelines.ts';
import type { JobObject } from '../../operator/kube/objects.ts';
import { createJobOrder, type JobOrder, type Rules } from './job-order.ts';

const TABLE: Pipelines = Object.fromEntries(
  [
    ['batch', 'batch'],
    ['prune', 'batch'],
    ['campaign', 'outreach'],
  ].map(([name = '', lane = '']) => [
    name,
    { description: name, owner: 'program', schedule: [], lane, publishes: false, stages: [] },
  ]),
);

/** The pipeline of a run is the beginning of its name. */
const pipelineOf = (run: string) => run.split('-')[0];

/** `batch-1 a` is the Job `a` of a run. */
function job(words: string, over = false, program = 'keep'): JobObject {
  const [run = '', name = ''] = words.split(' ');
  const annotations = { 'holdfast.dev/run': run };
  const labels = { 'holdfast.dev/program': program };
  const conditions = over ? [{ type: 'Complete', status: 'True' }] : [];
  const metadata = { name, uid: `${program} ${words}`, annotations, labels };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, status: { conditions } } as unknown as JobObject;
}

interface Row {
  readonly what: string;
  readonly happens: (order: JobOrder) => void;
  readonly rules?: Rules;
  readonly broken: readonly string[];
}

const rows: readonly Row[] = [
  {
    what: 'two runs of one lane at once',
    happens(order) {
      order.see(job('batch-1 a'));
      order.see(job('prune-1 b'));
    },
    broken: ['prune-1 had a Job while batch-1 of the same lane had one'],
  },
  {
    what: 'two runs of one lane, one after the other, heard of late',
    happens(order) {
      order.see(job('batch-1 a'));
      order.see(job('batch-1 a', true));
      order.see(job('prune-1 b'));
      order.see(job('batch-1 a'));
    },
    broken: [],
  },
  {
    what: 'a Job that is deleted makes room',
    happens(order) {
      order.see(job('batch-1 a'));
      order.see(job('batch-1 a'), true);
      order.see(job('batch-2 b'));
    },
    broken: [],
  },
  {
    what: 'a Job that a list no longer has makes room',
    happens(order) {
      order.see(job('batch-1 a'));
      order.seeAll([job('batch-2 b')]);
    },
    broken: [],
  },
  {
    what: 'lanes of their own, and other programs, beside each other',
    happens(order) {
      order.see(job('batch-1 a'));
      order.see(job('campaign-1 b'));
      order.see(job('batch-2 c', false, 'other'));
    },
    rules: { mostRuns: 3 },
    broken: [],
  },
  {
    what: 'more runs than may be',
    happens(order) {
      order.see(job('batch-1 a'));
      order.see(job('campaign-1 b'));
      order.see(job('batch-2 c', false, 'other'));
    },
    rules: { mostRuns: 2 },
    broken: ['3 runs had Jobs at once instead of 2 at most'],
  },
  {
    what: 'a run that begins before the one that it waits for is over',
    happens(order) {
      order.see(job('batch-1 a'));
      order.see(job('campaign-1 b'));
      order.see(job('batch-1 a', true));
    },
    rules: { order: [['batch-1', 'campaign-1']] },
    broken: ['campaign-1 had a Job before batch-1 was over'],
  },
  {
    what: 'a run that waits, and one that never had a Job',
    happens(order) {
      order.see(job('batch-1 a', true));
      order.see(job('campaign-1 b'));
    },
    rules: {
      order: [
        ['batch-1', 'campaign-1'],
        ['batch-1', 'batch-2'],
      ],
    },
    broken: ['batch-1 or batch-2 had no Job at all'],
  },
];

test.each(rows)('$what', ({ happens, rules = {}, broken }) => {
  const order = createJobOrder();
  happens(order);
  expect(order.broken(rules, pipelineOf, TABLE)).toEqual(broken);
});
