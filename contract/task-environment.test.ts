import { expect, test } from '@jest/globals';
import { connectionVariable, HOLDOUT_KEY_VARIABLE, modelTokenVariable } from './credentials.ts';
import {
  DATABASE_VARIABLE,
  isTaskVariable,
  readTaskSettings,
  type TaskPlace,
  taskEnvironment,
} from './task-environment.ts';

const PLACE: TaskPlace = {
  namespace: 'shop',
  run: 'keep-20261123t0200z',
  runUid: '6f1c',
  slot: new Date('2026-11-23T02:00:00.123Z'),
  trigger: 'backfill',
  dryRun: true,
  revision: { file: '/var/revision.json', digest: 'a'.repeat(64) },
  artifactRoot: '/var/artifacts',
  scratchFolder: '/tmp',
  baseFolder: '/var/files',
};
const RETRY = { trigger: 'retry' as const, retryOf: { name: 'keep-20261123t0200z', uid: '5e0b' }, fromStage: 'score' };
const DATABASE = { [DATABASE_VARIABLE]: 'postgres://db/holdfast' };

test.each([
  ['a dry run of a backfill', PLACE],
  [
    'a scheduled run',
    { ...PLACE, trigger: 'schedule' as const, dryRun: false, slot: new Date('2026-11-23T02:00:00Z') },
  ],
  ['a retry', { ...PLACE, ...RETRY, dryRun: false, fromStage: undefined }],
  ['a retry from a stage on', { ...PLACE, ...RETRY, dryRun: false }],
])('what the operator tells a task is what the task reads: %s', (_name, place) => {
  const settings = readTaskSettings({ ...taskEnvironment(place), ...DATABASE });
  expect(settings).toEqual({
    retryOf: undefined,
    fromStage: undefined,
    ...place,
    databaseUrl: 'postgres://db/holdfast',
    connection: expect.any(Function),
    shardIndex: undefined,
    terminationLog: '/dev/termination-log',
  });
});

test('every variable that the operator writes is one that the task needs', () => {
  const environment = taskEnvironment({ ...PLACE, dryRun: false });
  for (const name of Object.keys(environment).filter((one) => one !== 'HOLDFAST_DRY_RUN')) {
    expect(() => readTaskSettings({ ...environment, ...DATABASE, [name]: '' })).toThrow(name);
  }
});

test.each(['HOLDFAST_RETRY_OF', 'HOLDFAST_RETRY_OF_UID'])('a retry that is not told %s is none', (name) => {
  const environment = { ...taskEnvironment({ ...PLACE, ...RETRY }), ...DATABASE, [name]: '' };
  expect(() => readTaskSettings(environment)).toThrow(name);
});

test('a connection is read from the variable that it is given in', () => {
  const environment = { ...taskEnvironment(PLACE), ...DATABASE, [connectionVariable('our-crm')]: 'postgres://crm' };
  const { connection } = readTaskSettings(environment);
  expect([connection('our-crm'), connection('other')]).toEqual(['postgres://crm', undefined]);
});

test('nobody else sets a variable that means something to a task', () => {
  const ours = [
    ...Object.keys(taskEnvironment({ ...PLACE, ...RETRY })),
    DATABASE_VARIABLE,
    connectionVariable('crm'),
    modelTokenVariable('risk'),
    HOLDOUT_KEY_VARIABLE,
  ];
  expect(ours.filter((name) => !isTaskVariable(name))).toEqual([]);
  expect(isTaskVariable('HTTPS_PROXY')).toBe(false);
});
