import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { HoldfastError } from '../../base/errors.ts';
import { completeNames } from '../../cli/complete-names.ts';
import { main } from '../../cli/main.ts';
import { RESOURCES } from '../../operator/kube/api.ts';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { buildRevision, revisionIdentity } from '../../operator/objects/revision.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { openPassage } from '../cluster/passage.ts';
import { renderChart } from '../support/chart.ts';
import { KEEP, program, run, STAGE_SETTINGS } from '../support/program.ts';
import { until } from '../support/until.ts';
import { type CommandOptions, holdfast } from '../support/workspace.ts';

const testOnServer = await testOnControlPlane(['helm', 'kubectl']);
const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

const { retentionPrograms, retentionRuns } = RESOURCES;
const TOKEN = 'a-token-that-nobody-is-to-see';
/** As the process of the command says it. */
const STOPPED = new HoldfastError('HF_INTERRUPTED', 'stopped by SIGINT; run it again');

let plane: ControlPlane;
let client: ReturnType<typeof createClient>;
let folder: string;

const account = (user: string) => ({ user, groups: [], token: `${TOKEN}-${user}` });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-verbs-'));
  plane = await startControlPlane({
    controllerManager: false,
    accounts: ['viewer', 'runner', 'nobody'].map(account),
  });
  client = createClient({ kubeconfig: plane.kubeconfig, clock: systemClock, userAgent: 'holdfast/test' });
  for (const name of ['shop', 'empty']) await plane.request('POST', '/api/v1/namespaces', { metadata: { name } });
  const { helm } = await findBinaries(['helm']);
  const roles = renderChart(helm).filter(
    ({ kind, metadata }) => kind === 'ClusterRole' && /:(view|run)$/.test(metadata.name),
  );
  for (const role of roles) await plane.request('POST', `${RBAC}/clusterroles`, role);
  await grant('viewer', 'holdfast-system:holdfast:view');
  await grant('runner', 'holdfast-system:holdfast:run');
  await client.create(retentionPrograms, program({}, 'keep'));
  await ready('keep');
}, 120_000);

afterAll(async () => {
  client?.close();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** Binds a person to a role of the chart in the namespace, as an administrator does. */
async function grant(user: string, role: string): Promise<void> {
  const { status } = await plane.request('POST', `${RBAC}/namespaces/shop/rolebindings`, {
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
  expect(status).toBe(201);
}

const condition = (type: string, status: string, reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-11-23T02:00:00Z',
});

/** What the operator would say of a program. */
async function ready(name: string, status: object = {}, conditions: readonly object[] = []): Promise<void> {
  const found = await client.get<ProgramObject>(retentionPrograms, `shop/${name}`);
  await client.applyStatus(retentionPrograms, {
    ...found!,
    status: {
      observedGeneration: found!.metadata.generation ?? 1,
      conditions: [condition('Ready', 'True', 'Scheduled', 'runs at 0 2 * * MON (UTC)'), ...conditions],
      ...status,
    },
  } as ProgramObject);
}

/** What the operator would say of a run. */
async function says(name: string, status: object, reason: string, message: string): Promise<void> {
  const found = await client.get<RunObject>(retentionRuns, `shop/${name}`);
  await client.applyStatus(retentionRuns, {
    ...found!,
    status: { ...status, conditions: [condition('Reconciling', 'True', reason, message)] },
  } as RunObject);
}

const EXTRACTED = {
  name: 'extract',
  phase: 'Succeeded',
  startTime: '2026-11-23T09:00:00Z',
  completionTime: '2026-11-23T09:00:12Z',
  rowsIn: 500_000,
  rowsOut: 498_213,
};

/** As a person with that kubeconfig, whose namespace is shop. */
async function as(user: string | undefined, args: readonly string[], options: CommandOptions = {}) {
  const file = user === undefined ? plane.kubeconfig : await plane.kubeconfigFor(user, `${TOKEN}-${user}`);
  const result = await holdfast(args, {
    ...options,
    environment: { KUBECONFIG: file, HOME: folder, ...options.environment },
  });
  // Whatever it says, it never says who we are.
  expect(result.stdout + result.stderr).not.toContain(TOKEN);
  return result;
}

const IN_SHOP = ['--cluster', '-n', 'shop'];

describe('trigger', () => {
  testOnServer('makes a run of the newest slot, called after program and slot, and says how to follow it', async () => {
    const { status, stdout, stderr } = await as('runner', ['trigger', 'keep', ...IN_SHOP]);
    expect([status, stderr]).toEqual([0, 'in the cluster holdfast-test, namespace shop\n']);
    expect(stdout).toBe(
      'keep-20261123t0200z-manual-1 is made, for the slot 2026-11-23T02:00:00Z; to follow it:\n' +
        '  holdfast status --run keep-20261123t0200z-manual-1 --watch -n shop --cluster\n',
    );
    const made = await client.get<RunObject>(retentionRuns, 'shop/keep-20261123t0200z-manual-1');
    expect(made?.spec).toEqual({
      programRef: { name: 'keep' },
      pipeline: 'batch',
      slot: '2026-11-23T02:00:00Z',
      trigger: 'manual',
      dryRun: false,
      suspend: false,
      cancel: false,
    });
  });

  testOnServer('makes another each time, a dry run and one of another pipeline and slot as well', async () => {
    const args = ['trigger', 'keep', '--slot', '2026-11-16T02:00:00Z', '--dry-run', '-o', 'json', ...IN_SHOP];
    const [one, two] = [await as('runner', args), await as('runner', args)].map(({ stdout }) => JSON.parse(stdout));
    expect([one.run, two.run]).toEqual(['keep-20261116t0200z-manual-1', 'keep-20261116t0200z-manual-2']);
    expect(two).toMatchObject({ program: 'keep', dryRun: true, slot: '2026-11-16T02:00:00Z', phase: 'Pending' });
    const prune = await as('runner', ['trigger', 'keep', '--pipeline', 'prune', '-o', 'json', ...IN_SHOP]);
    expect(JSON.parse(prune.stdout)).toMatchObject({ run: 'keep-20261123t0200z-prune-manual-1', pipeline: 'prune' });
  });

  testOnServer('makes nothing of a program that is unknown, turned off or not ready, and says why', async () => {
    await client.create(retentionPrograms, program({ enabled: false, programId: 'off' }, 'off'));
    await client.create(retentionPrograms, program({ programId: 'faulty' }, 'faulty'));
    await ready('faulty', { conditions: [condition('Ready', 'False', 'SpecInvalid', 'no \u001b[31mzone')] });
    const before = await client.list(retentionRuns, { namespace: 'shop' });
    for (const [name, code, words] of [
      [
        'kep',
        'HF_NOT_FOUND',
        'there is no program kep in the cluster holdfast-test, namespace shop (did you mean keep?)',
      ],
      ['No Name', 'HF_NOT_FOUND', 'there is no program No Name'],
      ['off', 'HF_PROGRAM_NOT_READY', 'the program off is turned off'],
      ['faulty', 'HF_PROGRAM_NOT_READY', 'the program faulty is not ready: SpecInvalid: no \\u001b[31mzone'],
    ]) {
      const { status, stdout, stderr } = await as('runner', ['trigger', name!, ...IN_SHOP]);
      expect([name, status, stdout]).toEqual([name, 78, '']);
      expect(stderr).toContain(`${code}: `);
      expect(stderr).toContain(words);
    }
    const future = await as('runner', ['trigger', 'keep', '--slot', '2026-12-07T02:00:00Z', ...IN_SHOP]);
    expect([future.status, future.stderr]).toEqual([78, expect.stringContaining('HF_SLOT_IN_FUTURE: ')]);
    expect((await client.list(retentionRuns, { namespace: 'shop' })).items).toHaveLength(before.items.length);
  });

  testOnServer('makes the run of a program that the operator has not looked at, and says so', async () => {
    await client.create(retentionPrograms, program({ programId: 'fresh' }, 'fresh'));
    const { status, stderr } = await as('runner', ['trigger', 'fresh', ...IN_SHOP]);
    expect([status, stderr]).toEqual([0, expect.stringContaining('the operator has not looked at the program fresh')]);
  });

  testOnServer('with --wait draws the run a line for each change, and ends as it ends', async () => {
    const name = 'keep-20261109t0200z-manual-1';
    const begun = '2026-11-23T09:00:00Z';
    let step = 0;
    const watch = (text: string) => {
      // Each line that is drawn brings the next change about.
      if (text.startsWith(`${name}  Pending`) && step === 0) {
        step = 1;
        void says(name, { phase: 'Pending' }, 'WaitingForRun', 'another run goes first');
      } else if (text.includes('another run goes first') && step === 1) {
        step = 2;
        const stages = [EXTRACTED, { name: 'filter', phase: 'Running', task: 'filter', startTime: begun, attempt: 2 }];
        void says(name, { phase: 'Running', startTime: begun, stages }, 'Running', 'filter/filter runs');
      } else if (text.includes('filter     Running') && step === 2) {
        step = 3;
        const error = { phase: 'Failed', errorCode: 'HF_MODEL_MISSING', message: 'risk.onnx \u001b[2J is not there' };
        const stages = [EXTRACTED, { name: 'filter', startTime: begun, completionTime: begun, ...error }];
        void says(
          name,
          { phase: 'Failed', startTime: begun, completionTime: '2026-11-23T09:01:00Z', stages },
          'Failed',
          'filter/filter: HF_MODEL_MISSING: risk.onnx \u001b[2J is not there',
        );
      }
    };
    const args = ['trigger', 'keep', '--slot', '2026-11-09T02:00:00Z', '--wait', ...IN_SHOP];
    const { status, stdout, stderr } = await as('runner', args, { watch });
    expect(stderr.split('\n')).toEqual([
      'in the cluster holdfast-test, namespace shop',
      `${name}  Pending  slot 2026-11-09T02:00:00Z`,
      '  WaitingForRun: another run goes first',
      `${name}  Running  slot 2026-11-09T02:00:00Z`,
      '  extract    Succeeded  500,000 → 498,213       12s',
      '  filter     Running                                 try 2',
      `${name}  Failed  slot 2026-11-09T02:00:00Z  60s`,
      '  filter     Failed                              0s  HF_MODEL_MISSING: risk.onnx \\u001b[2J is not there',
      '  Failed: filter/filter: HF_MODEL_MISSING: risk.onnx \\u001b[2J is not there',
      '',
    ]);
    expect([status, stdout]).toEqual([
      1,
      `${name} Failed: filter/filter: HF_MODEL_MISSING: risk.onnx \\u001b[2J is not there\n` +
        'Check the endpoint: its path is relative to the folder of the program manifest.\n',
    ]);
  });
});

describe('cancel', () => {
  testOnServer('asks for the end of a run, again and again, and not of one that is over', async () => {
    await client.create(retentionRuns, run('to-cancel'));
    const first = await as('runner', ['cancel', 'to-cancel', ...IN_SHOP]);
    expect([first.status, first.stdout]).toEqual([
      0,
      'to-cancel will be cancelled, unless its last task is done: its tasks end, and nothing of it is published\n',
    ]);
    expect((await client.get<RunObject>(retentionRuns, 'shop/to-cancel'))?.spec.cancel).toBe(true);
    await says('to-cancel', { phase: 'Cancelled', completionTime: '2026-11-23T09:00:00Z' }, 'Cancelled', 'cancelled');
    const again = await as('runner', ['cancel', 'to-cancel', '--wait', ...IN_SHOP]);
    expect([again.status, again.stdout]).toEqual([0, 'to-cancel is cancelled\n']);
    await client.create(retentionRuns, run('over'));
    await says('over', { phase: 'Succeeded', completionTime: '2026-11-23T09:00:00Z' }, 'Succeeded', 'done');
    const over = await as('runner', ['cancel', 'over', ...IN_SHOP]);
    expect([over.status, over.stderr]).toEqual([
      78,
      expect.stringContaining('HF_RUN_OVER: the run over is over: Succeeded at 2026-11-23T09:00:00Z'),
    ]);
    await client.create(retentionRuns, run('too-late'));
    const late = await as('runner', ['cancel', 'too-late', '--wait', ...IN_SHOP], {
      watch: (text) => {
        if (!text.startsWith('too-late')) return;
        void says(
          'too-late',
          { phase: 'Succeeded', completionTime: '2026-11-23T09:00:00Z' },
          'Succeeded',
          '3 candidates',
        );
      },
    });
    expect([late.status, late.stdout]).toEqual([1, 'too-late Succeeded: 3 candidates\n']);
    const unknown = await as('runner', ['cancel', 'to-cancle', ...IN_SHOP]);
    expect([unknown.status, unknown.stderr]).toEqual([78, expect.stringContaining('(did you mean to-cancel?)')]);
  });
});

describe('retry', () => {
  const FAILED = { phase: 'Failed', startTime: '2026-11-23T09:00:00Z', completionTime: '2026-11-23T09:01:00Z' };

  /** A run that failed, pinned to its program as it was. */
  async function failed(
    name: string,
    slot: string,
    status: object = {},
    trigger: RunObject['spec']['trigger'] = 'manual',
  ): Promise<RunObject> {
    const found = (await client.get<ProgramObject>(retentionPrograms, 'shop/keep'))!;
    const revision = buildRevision(KEEP, found, STAGE_SETTINGS);
    await client.create(RESOURCES.configMaps, revision).catch(() => {});
    await client.create(retentionRuns, run(name, { slot, trigger }));
    const pinned = { revision: revision.metadata.name, revisionDigest: revisionIdentity(found, STAGE_SETTINGS) };
    await says(name, { ...FAILED, slot, stages: [EXTRACTED], ...pinned, ...status }, 'Failed', 'filter/filter: no');
    return (await client.get<RunObject>(retentionRuns, `shop/${name}`))!;
  }

  testOnServer('makes another try of the same slot, from the stage that is named', async () => {
    const of = await failed('lost', '2026-08-03T02:00:00Z');
    const plain = await as('runner', ['retry', 'lost', ...IN_SHOP]);
    expect([plain.status, plain.stdout]).toEqual([
      0,
      expect.stringContaining(
        'keep-20260803t0200z-retry-1 is made, for the slot 2026-08-03T02:00:00Z, another try of lost',
      ),
    ]);
    const made = await client.get<RunObject>(retentionRuns, 'shop/keep-20260803t0200z-retry-1');
    expect(made?.spec).toMatchObject({
      trigger: 'retry',
      slot: '2026-08-03T02:00:00Z',
      retryOf: { name: 'lost', uid: of.metadata.uid },
    });
    const staged = await as('runner', ['retry', 'lost', '--from-stage', 'filter', '-o', 'json', ...IN_SHOP]);
    expect(JSON.parse(staged.stdout)).toMatchObject({ run: 'keep-20260803t0200z-retry-2', trigger: 'retry' });
    await failed('past', '2026-07-27T02:00:00Z', {}, 'backfill');
    const past = await as('runner', ['retry', 'past', '-o', 'json', ...IN_SHOP]);
    expect(JSON.parse(past.stdout)).toMatchObject({ run: 'keep-20260727t0200z-retry-1', trigger: 'backfill' });
    await client.create(retentionRuns, run('dry', { slot: '2026-07-20T02:00:00Z', dryRun: true }));
    await says('dry', FAILED, 'Failed', 'filter/filter: no');
    const nothing = await as('runner', ['retry', 'dry', '--from-stage', 'score', ...IN_SHOP]);
    expect([nothing.status, nothing.stderr]).toEqual([
      78,
      expect.stringContaining(
        'HF_RETRY_REFUSED: nothing was made: the run dry is a dry run, which leaves nothing to go on',
      ),
    ]);
    const unknown = await as('runner', ['retry', 'lost', '--from-stage', 'filters', ...IN_SHOP]);
    expect([unknown.status, unknown.stderr]).toEqual([
      78,
      expect.stringContaining('HF_USAGE: batch has no stage filters'),
    ]);
  });

  testOnServer('makes none of what has succeeded, is not over, never began or was retried with success', async () => {
    const of = await failed('retried', '2026-08-10T02:00:00Z');
    const again = await failed('retried-again', '2026-08-10T02:00:00Z');
    for (const [name, one] of [
      ['try-1', of],
      ['try-2', again],
    ] as const) {
      const retryOf = { name: one.metadata.name, uid: one.metadata.uid };
      await client.create(retentionRuns, run(name, { trigger: 'retry', retryOf }));
    }
    await says('try-1', FAILED, 'Failed', 'no');
    // A retry of the retry.
    const first = (await client.get<RunObject>(retentionRuns, 'shop/try-1'))!;
    const retryOf = { name: 'try-1', uid: first.metadata.uid };
    await client.create(retentionRuns, run('try-3', { trigger: 'retry', retryOf }));
    await says('try-3', { ...FAILED, phase: 'Succeeded' }, 'Succeeded', 'done');
    await client.create(retentionRuns, run('never-began'));
    await says('never-began', { phase: 'Failed', completionTime: '2026-11-23T09:01:00Z' }, 'NoSlot', 'no slot');
    for (const [name, words] of [
      ['retried', 'the run retried was retried, and that succeeded: try-3'],
      ['try-3', 'the run try-3 has succeeded'],
      ['try-2', 'the run try-2 is not over (Pending)'],
      ['never-began', 'the run never-began never began'],
    ]) {
      const { status, stderr } = await as('runner', ['retry', name!, ...IN_SHOP]);
      expect([name, status, stderr]).toEqual([
        name,
        78,
        expect.stringContaining(`HF_RETRY_REFUSED: nothing was made: ${words}`),
      ]);
    }
    expect((await as('runner', ['retry', 'retried-again', ...IN_SHOP])).status).toBe(0);
  });

  testOnServer(
    'says that the program has changed since, and makes none where what it was pinned to is gone',
    async () => {
      await failed('pinned', '2026-08-17T02:00:00Z');
      const same = await as(undefined, ['retry', 'pinned', ...IN_SHOP]);
      expect([same.status, same.stderr]).toEqual([0, 'in the cluster holdfast-test, namespace shop\n']);
      await client.patch(retentionPrograms, 'shop/keep', { spec: { candidateTTLDays: 7 } });
      const changed = await as(undefined, ['retry', 'pinned', ...IN_SHOP]);
      expect([changed.status, changed.stderr]).toEqual([
        0,
        expect.stringContaining('the program keep has changed since pinned: '),
      ]);
      await client.patch(retentionPrograms, 'shop/keep', { spec: { candidateTTLDays: 30 } });
      await ready('keep');
      await failed('gone', '2026-08-24T02:00:00Z', { revision: 'keep-00000000000000000000' });
      const gone = await as(undefined, ['retry', 'gone', ...IN_SHOP]);
      expect([gone.status, gone.stderr]).toEqual([
        78,
        expect.stringContaining('HF_RETRY_REFUSED: nothing was made: the ConfigMap keep-00000000000000000000 is gone'),
      ]);
    },
  );
});

describe('backfill', () => {
  testOnServer('makes the run of each slot once, however often it is asked', async () => {
    const args = ['backfill', 'keep', '--from', '2026-10-05', '--to', '2026-10-12', ...IN_SHOP];
    const first = await as('runner', args);
    const rows = (made: string) => [
      `keep-20261005t0200z-backfill   2026-10-05T02:00:00Z   Pending   ${made}`,
      `keep-20261012t0200z-backfill   2026-10-12T02:00:00Z   Pending   ${made}`,
    ];
    expect([first.status, first.stdout.trim().split('\n').slice(1)]).toEqual([0, rows('now')]);
    expect((await as('runner', args)).stdout.trim().split('\n').slice(1)).toEqual(rows('before'));
    const made = await client.get<RunObject>(retentionRuns, 'shop/keep-20261005t0200z-backfill');
    expect(made?.spec).toMatchObject({ trigger: 'backfill', slot: '2026-10-05T02:00:00Z', dryRun: false });
    const wider = await as('runner', ['backfill', 'keep', '--from', '2026-01-01', '--to', '2026-11-01', ...IN_SHOP]);
    expect([wider.status, wider.stderr]).toEqual([78, expect.stringContaining('HF_SLOT_REFUSED: nothing was made: ')]);
  });

  testOnServer('stops at what has the name of one and is none', async () => {
    await client.create(retentionRuns, run('keep-20260907t0200z-backfill', { programRef: { name: 'off' } }));
    const args = ['backfill', 'keep', '--from', '2026-09-07', '--to', '2026-09-07', ...IN_SHOP];
    expect((await as('runner', args)).stderr).toContain(
      'HF_CLUSTER_CONFLICT: the run keep-20260907t0200z-backfill is there',
    );
  });
});

describe('who may not', () => {
  testOnServer('is told what is missing, and which role to ask for', async () => {
    const reader = await as('viewer', ['trigger', 'keep', ...IN_SHOP]);
    expect([reader.status, reader.stderr]).toEqual([
      78,
      expect.stringMatching(
        /HF_CLUSTER_FORBIDDEN: you may not create retentionruns in the namespace shop as viewer: .*:run/,
      ),
    ]);
    await client.create(retentionRuns, run('kept'));
    const cancelled = await as('viewer', ['cancel', 'kept', ...IN_SHOP]);
    expect(cancelled.stderr).toContain('you may not patch retentionruns in the namespace shop');
    const nobody = await as('nobody', ['status', ...IN_SHOP]);
    expect([nobody.status, nobody.stderr]).toEqual([
      78,
      expect.stringMatching(/you may not list retentionruns in the namespace shop as nobody: .*view/),
    ]);
    const elsewhere = await as('runner', ['trigger', 'keep', '--cluster', '-n', 'empty']);
    expect(elsewhere.stderr).toContain('you may not get retentionprograms in the namespace empty');
  });

  testOnServer('is told of credentials that are not taken, and of a context that is not there', async () => {
    const file = await plane.kubeconfigFor('stranger', `${TOKEN}-stranger`);
    const stranger = await holdfast(['status', '--kubeconfig', file], { environment: {} });
    expect([stranger.status, stranger.stderr]).toEqual([78, expect.stringContaining('HF_CLUSTER_UNAUTHORIZED: ')]);
    expect(stranger.stderr).not.toContain(TOKEN);
    const context = await as('viewer', ['status', '--context', 'prod']);
    expect([context.status, context.stderr]).toEqual([
      78,
      expect.stringMatching(/HF_CLUSTER_CONFIG: the kubeconfig \S+ has no context prod; it has holdfast-test\n/),
    ]);
  });
});

describe('status', () => {
  testOnServer(
    'shows of each program and pipeline how the last run ended, what goes on and when the next is due',
    async () => {
      await client.create(retentionPrograms, program({ programId: 'busy' }, 'busy'));
      const lastRun = {
        name: 'busy-20261123t0200z',
        slot: '2026-11-23T02:00:00Z',
        phase: 'Failed',
        startTime: '2026-11-23T02:00:05Z',
        completionTime: '2026-11-23T02:00:30Z',
      };
      await ready(
        'busy',
        {
          lastRun,
          nextSlot: '2026-11-30T02:00:00Z',
          pipelines: [
            { name: 'batch', nextSlot: '2026-11-30T02:00:00Z', lastRun },
            { name: 'prune', nextSlot: '2026-11-24T03:00:00Z', waitsFor: 'busy-20261123t0200z-retry-1' },
          ],
        },
        [condition('LastRunSucceeded', 'False', 'Failed', 'busy-20261123t0200z: score/score: HF_MODEL_MISSING: gone')],
      );
      const failed = await as('viewer', ['status', 'busy', ...IN_SHOP]);
      expect(failed.stdout).toBe(
        [
          'PROGRAM   PIPELINE   LAST     SLOT                   AGE     CANDIDATES   NEXT                   NOW   REASON',
          'busy      batch      Failed   2026-11-23T02:00:00Z   7h29m   <none>       2026-11-30T02:00:00Z         Failed',
          'busy      prune      <none>   <none>                 <none>   <none>       2026-11-24T03:00:00Z         SlotWaiting',
          '',
        ]
          .join('\n')
          .replace('AGE     C', 'AGE      C')
          .replace('7h29m   <', '7h29m    <'),
      );
      await client.create(retentionRuns, run('busy-by-hand', { programRef: { name: 'busy' }, pipeline: 'prune' }));
      await says('busy-by-hand', { phase: 'Pending' }, 'WaitingForRun', 'another run \u001b]0;goes first');
      const all = await as('viewer', ['status', '-o', 'wide', ...IN_SHOP]);
      expect(all.status).toBe(0);
      const lines = all.stdout.split('\n').map((line) => line.split(/ {3,}/));
      expect(lines.find(([name, pipeline]) => name === 'busy' && pipeline === 'prune')).toEqual([
        'busy',
        'prune',
        '<none>',
        '<none>',
        '<none>',
        '<none>',
        '2026-11-24T03:00:00Z',
        'Pending',
        'busy-by-hand',
        'WaitingForRun: another run \\u001b]0;goes first',
      ]);
      expect(lines.find(([name]) => name === 'off')?.at(-1)).toBe('NotSeen: the operator has not looked at it yet');
      const json = JSON.parse((await as('viewer', ['status', 'busy', '-o', 'json', ...IN_SHOP])).stdout);
      expect(json).toMatchObject({
        programs: [
          { program: 'busy', ready: true, pipelines: [{ pipeline: 'batch', lastRun: { phase: 'Failed' } }, {}] },
        ],
        runs: [{ run: 'busy-by-hand', reason: 'WaitingForRun' }],
      });
      const none = await as(undefined, ['status', '--cluster', '-n', 'empty']);
      expect([none.status, none.stdout, none.stderr]).toEqual([0, '', expect.stringContaining('there is no program')]);
    },
  );

  testOnServer('a connection that breaks while a run is watched is made anew, and nothing is missed', async () => {
    await client.create(retentionRuns, run('watched'));
    await says('watched', { phase: 'Running', startTime: '2026-11-23T09:00:00Z' }, 'Running', 'extract runs');
    await using passage = await openPassage(Number(new URL(plane.url).port));
    const config = parse(await readFile(await plane.kubeconfigFor('viewer', `${TOKEN}-viewer`), 'utf8'));
    config.clusters[0].cluster.server = `https://127.0.0.1:${passage.port}`;
    config.contexts[0].context.namespace = 'shop';
    const file = join(folder, 'through');
    await writeFile(file, stringify(config));
    let told = '';
    const done = holdfast(['status', '--run', 'watched', '--watch', '--kubeconfig', file], {
      environment: {},
      watch: (text) => (told += text),
    });
    await until(
      'it is drawn',
      async () => told,
      (text) => text.includes('watched  Running'),
    );
    passage.cut('closed');
    await until(
      'it says so',
      async () => told,
      (text) => text.includes('trying again'),
    );
    // It ends while nobody can see it.
    await says(
      'watched',
      { phase: 'Succeeded', startTime: '2026-11-23T09:00:00Z', completionTime: '2026-11-23T09:05:00Z' },
      'Succeeded',
      '12 candidates',
    );
    passage.open();
    const { status, stdout, stderr } = await done;
    expect([status, stdout]).toEqual([0, 'watched Succeeded: 12 candidates\n']);
    expect(stderr.match(/trying again/g)).toHaveLength(1);
    expect(stderr).toContain('connected again\n');
  });

  testOnServer('a run that is deleted, or a person who stops, ends the watch of it', async () => {
    await client.create(retentionRuns, run('short-lived'));
    const gone = await as('viewer', ['status', '--run', 'short-lived', '--watch', ...IN_SHOP], {
      watch: (text) => {
        if (!text.startsWith('short-lived')) return;
        void client.get(retentionRuns, 'shop/short-lived').then((found) =>
          client.delete(retentionRuns, 'shop/short-lived', {
            uid: found!.metadata.uid!,
            propagationPolicy: 'Background',
          }),
        );
      },
    });
    expect([gone.status, gone.stderr]).toEqual([
      1,
      expect.stringContaining('HF_CLUSTER_CONFLICT: the run short-lived was deleted'),
    ]);
    await client.create(retentionRuns, run('long-lived'));
    const stopped = await as('viewer', ['status', '--run', 'long-lived', '--watch', ...IN_SHOP], {
      watch: (text, abort) => text.startsWith('long-lived') && abort.abort(STOPPED),
    });
    expect([stopped.status, stopped.stderr]).toEqual([
      1,
      expect.stringContaining('HF_INTERRUPTED: stopped looking; the run long-lived goes on'),
    ]);
  });

  testOnServer('credentials come from the program that the kubeconfig names, whose failure is said', async () => {
    const asking = async (name: string, script: string) => {
      const config = parse(await readFile(plane.kubeconfig, 'utf8'));
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
      config.users = [{ name: 'admin', user: { exec } }];
      const file = join(folder, name);
      await writeFile(file, stringify(config));
      return await holdfast(['status', 'keep', '-n', 'shop', '--kubeconfig', file], { environment: {} });
    };
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential' };
    const given = JSON.stringify({ ...credential, status: { token: plane.token } });
    expect(await asking('exec-good', `echo '${given}'`)).toMatchObject({ status: 0 });
    const failed = await asking('exec-bad', 'echo "log in first" >&2; exit 1');
    expect([failed.status, failed.stderr]).toEqual([78, expect.stringMatching(/HF_CLUSTER_CONFIG: .*log in first/)]);
  });

  testOnServer('--watch draws each change of the programs, on a terminal in place, until a person stops', async () => {
    await client.create(retentionPrograms, program({ programId: 'seen' }, 'seen'));
    await ready('seen', { pipelines: [{ name: 'batch', nextSlot: '2026-11-30T02:00:00Z' }] });
    const changes = async (abort: AbortController, told: () => string, expected: string) => {
      await until(
        'the first picture',
        async () => told(),
        (text) => text.includes('seen'),
      );
      const name = `seen-${Math.round(performance.now())}`;
      await client.create(retentionRuns, run(name, { programRef: { name: 'seen' } }));
      await says(name, { phase: 'Pending' }, 'WaitingForCapacity', 'others go first');
      await until(
        'the change',
        async () => told(),
        (text) => text.includes(expected),
        20_000,
      );
      abort.abort(new Error('SIGINT'));
    };
    for (const isTerminal of [false, true]) {
      let told = '';
      const abort = new AbortController();
      const done = main(['status', 'seen', '--watch', ...IN_SHOP], {
        stdout: { isTTY: isTerminal, columns: 200, write: (text) => (told += text) },
        stderr: { write: () => true },
        environment: { KUBECONFIG: plane.kubeconfig },
        signal: abort.signal,
        now: () => new Date('2026-11-23T09:30:00Z'),
        elapsed: () => performance.now(),
      });
      await changes(abort, () => told, isTerminal ? 'Pending (+1)' : 'Pending');
      expect(await done).toBe(1);
      if (isTerminal) expect(told).toContain('\u001b[2A\r\u001b[JPROGRAM');
      else expect(told).toMatch(/^seen batch {2}.*next 2026-11-30T02:00:00Z\n(.*\n)*seen batch {2}now Pending/);
    }
  });

  testOnServer('where nothing answers it says so', async () => {
    const config = parse(await readFile(plane.kubeconfig, 'utf8'));
    config.clusters[0].cluster.server = 'https://127.0.0.1:1';
    const file = join(folder, 'nobody-there');
    await writeFile(file, stringify(config));
    const { status, stderr } = await holdfast(['status', '--kubeconfig', file], { environment: {} });
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/HF_CLUSTER_UNREACHABLE: the cluster holdfast-test does not answer: .*ECONNREFUSED/),
    ]);
  });
});

describe('kubectl holdfast', () => {
  testOnServer(
    'is found by kubectl, is about the cluster whatever is beside it, and completes words',
    async () => {
      const { kubectl } = await findBinaries(['kubectl']);
      const bin = await mkdtemp(join(folder, 'bin-'));
      for (const name of ['kubectl-holdfast', 'kubectl_complete-holdfast']) {
        await symlink(join(ROOT, 'bin', name), join(bin, name));
      }
      const environment = {
        HOME: folder,
        PATH: `${bin}:${process.env['PATH']}`,
        KUBECONFIG: await plane.kubeconfigFor('viewer', `${TOKEN}-viewer`),
        // Of a laptop, which is not looked into.
        DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      };
      const ask = (...args: string[]) => execute(kubectl, args, { cwd: folder, env: environment });
      const status = await ask('holdfast', 'status', 'keep', '-n', 'shop', '-o', 'json');
      expect(JSON.parse(status.stdout).programs).toMatchObject([{ program: 'keep', ready: true }]);
      expect(status.stderr).toBe('in the cluster holdfast-test, namespace shop\n');
      await expect(ask('holdfast', 'trigger', 'kepp', '-n', 'shop')).rejects.toMatchObject({
        code: 78,
        stderr: expect.stringContaining('did you mean keep?'),
      });
      const help = await ask('holdfast', 'cancel', '--help');
      expect(help.stdout).toMatch(/^Usage: kubectl holdfast cancel /);
      const complete = async (...words: string[]) => (await ask('__complete', 'holdfast', ...words)).stdout;
      expect(await complete('trigger', 'keep', '--pipeline', '')).toBe('batch\nprune\n:4\n');
      expect(await complete('trigger', '-n', 'shop', 'ke')).toBe('keep\n:4\n');
    },
    60_000,
  );
});

describe('completion', () => {
  const complete = async (user: string | undefined, ...words: string[]) => {
    const { stdout, stderr } = await as(user, ['__complete', ...words]);
    expect(stderr).toBe('');
    return stdout.split('\n').slice(0, -1);
  };

  testOnServer(
    'names what there is of programs, runs, namespaces and contexts, and says nothing of what it may not',
    async () => {
      expect(await complete('viewer', 'trigger', ...IN_SHOP, 'k')).toEqual(['keep', ':4']);
      expect(await complete('viewer', 'cancel', '-n', 'shop', 'to-')).toEqual(
        expect.arrayContaining(['to-cancel', ':4']),
      );
      expect(await complete('viewer', 'status', '-n', 'shop', '--run', 'to-c')).toEqual(['to-cancel', ':4']);
      expect(await complete(undefined, 'status', '-n', 'sh')).toEqual(['shop', ':4']);
      expect(await complete('viewer', 'status', '--context', 'h')).toEqual(['holdfast-test', ':4']);
      for (const flags of [[], ['-n'], ['--context', 'other', '-n']]) {
        expect(await complete('nobody', 'status', ...flags, 'sh')).toEqual([':0']);
      }
    },
  );

  testOnServer('gives up soon where nothing answers', async () => {
    const sockets: Socket[] = [];
    await using server = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const kubeconfig = parse(await readFile(plane.kubeconfig, 'utf8'));
    kubeconfig.clusters[0].cluster.server = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const file = join(folder, 'silent.kubeconfig');
    await writeFile(file, stringify(kubeconfig));
    const silent = { write: () => true };
    const io = {
      ...{ stdout: silent, stderr: silent, environment: { KUBECONFIG: file }, signal: new AbortController().signal },
      ...{ now: () => new Date(0), elapsed: () => 0 },
    };
    expect(await completeNames('program', ['trigger', '--cluster'], io, 200)).toEqual([]);
    expect(sockets).toHaveLength(1);
    for (const socket of sockets) socket.destroy();
  });
});

describe('without Holdfast', () => {
  testOnServer('it is said that the cluster does not know our kinds', async () => {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await plane.request('DELETE', `${definitions}/retentionruns.holdfast.dev`);
    await plane.request('DELETE', `${definitions}/retentionprograms.holdfast.dev`);
    await until(
      'they are gone',
      async () => (await plane.request('GET', '/apis/holdfast.dev/v1alpha1')).status,
      (status) => status === 404,
    );
    for (const args of [
      ['status'],
      ['status', 'keep'],
      ['trigger', 'keep'],
      ['cancel', 'keep'],
      ['status', '--run', 'x'],
    ]) {
      const { status, stderr } = await as(undefined, [...args, ...IN_SHOP]);
      expect([args, status, stderr]).toEqual([
        args,
        78,
        expect.stringContaining('HF_NOT_INSTALLED: Holdfast is not installed'),
      ]);
    }
  });
});
