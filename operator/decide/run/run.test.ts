import { expect, test } from '@jest/globals';
import { rfc3339 } from '../../../base/instant.ts';
import { expectRunSettles } from '../../../test/support/decided-again.ts';
import { KEEP, POSTGRES, SNOWFLAKE, STAGE_SETTINGS, storedProgram } from '../../../test/support/program.ts';
import { reading } from '../../../test/support/references.ts';
import { runSnapshot, storedRun } from '../../../test/support/run-snapshot.ts';
import type { Condition, JobObject, PodObject, RunObject } from '../../kube/objects.ts';
import { buildJob } from '../../objects/job.ts';
import { ownerReference } from '../../objects/owner.ts';
import { buildRevision, pinnedRevision } from '../../objects/revision.ts';
import { type Storage, storageOf } from '../../objects/storage.ts';
import { readAllowedNames } from '../../settings/allowed.ts';
import { type Action, attemptKey } from '../action.ts';
import { CONDITION_REASONS } from '../reasons.ts';
import { decideRun } from './run.ts';
import type { RunSnapshot } from './snapshot.ts';

const NOW = new Date('2026-11-23T02:10:00Z');
const SLOT = '2026-11-23T02:00:00Z';
const PROGRAM = storedProgram();
const REVISION = buildRevision(KEEP, PROGRAM, STAGE_SETTINGS);

/** A run that nobody has looked at yet. */
function newRun(spec: Partial<RunObject['spec']> = {}, status?: RunObject['status']): RunObject {
  return storedRun('weekly', { slot: SLOT, ...spec }, status);
}

function jobOf(stage: string, task: string, state: JobObject['status'] = {}, attempt = 1): JobObject {
  const pinned = pinnedRevision(REVISION, KEEP)!;
  const storage = storageOf(pinned.spec, STAGE_SETTINGS) as Storage;
  const job = buildJob(
    newRun(),
    new Date(SLOT),
    pinned,
    { pipeline: 'batch', stage, task, attempt, secrets: [] },
    storage,
    STAGE_SETTINGS,
  );
  const metadata = {
    ...job.metadata,
    uid: `${stage}-uid`,
    resourceVersion: '9',
    creationTimestamp: '2026-11-23T02:09:00Z',
  };
  return { ...job, metadata, status: state } as JobObject;
}

/** A run whose filter Job was made, and what is known of that Job. */
function inFilter(
  job: JobObject | undefined,
  change: Partial<RunSnapshot> = {},
  spec: Partial<RunObject['spec']> = {},
): RunSnapshot {
  const first = decideRun(snapshot(), NOW).status;
  const revision = change.revision && pinnedRevision(change.revision, KEEP);
  const pinned = revision === undefined ? {} : { revision: revision.name, revisionDigest: revision.identity };
  const stages = first.stages!.map((stage) => {
    if (stage.name === 'extract')
      return { ...stage, phase: 'Succeeded' as const, task: 'extract', job: 'weekly-extract-1' };
    if (stage.name !== 'filter') return stage;
    return {
      name: 'filter',
      phase: 'Running' as const,
      task: 'filter',
      job: 'weekly-filter-1',
      attempt: 1,
      startTime: SLOT,
    };
  });
  return snapshot({
    run: newRun(spec, { ...first, ...pinned, stages }),
    revision: REVISION,
    jobs: new Map(job === undefined ? [] : [[job.metadata.name, job]]),
    ...change,
  });
}

const snapshot = (change: Partial<RunSnapshot> = {}) => runSnapshot({ program: PROGRAM, ...change });

const COMPLETE: JobObject['status'] = {
  completionTime: '2026-11-23T02:09:30Z',
  conditions: [{ type: 'Complete', status: 'True' }],
};
const failedFor = (reason: string): JobObject['status'] => ({
  conditions: [{ type: 'Failed', status: 'True', reason, message: 'Job has failed' }],
});

function pod(status: PodObject['status'], created = '2026-11-23T02:09:50Z'): PodObject {
  const metadata = { name: 'pod', namespace: 'shop', uid: 'p', resourceVersion: '1', creationTimestamp: created };
  return { apiVersion: 'v1', kind: 'Pod', metadata, ...(status === undefined ? {} : { status }) };
}

/** A pod that somebody deleted, and that is not gone yet. */
function leaving(status: PodObject['status'], created?: string): PodObject {
  const left = pod(status, created);
  return { ...left, metadata: { ...left.metadata, deletionTimestamp: '2026-11-23T02:09:59Z' } };
}

const waitingFor = (reason: string, message: string): PodObject['status'] => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'task', image: 'holdfast:nowhere', state: { waiting: { reason, message } } }],
});

const ended = (exitCode: number, message: object | string, reason = 'Error'): PodObject['status'] => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  containerStatuses: [
    {
      name: 'task',
      state: {
        terminated: { exitCode, reason, message: typeof message === 'string' ? message : JSON.stringify(message) },
      },
    },
  ],
});

const other = (status: RunObject['status'], created: string, spec: Partial<RunObject['spec']> = {}): RunObject => {
  const one = newRun(spec, status);
  return { ...one, metadata: { ...one.metadata, name: 'other', uid: 'other-uid', creationTimestamp: created } };
};

/** An action in a few words. */
function brief(action: Action): string {
  switch (action.do) {
    case 'create':
      return `create ${action.object.kind} ${action.object.metadata.name}`.replace(REVISION.metadata.name, 'REVISION');
    case 'event':
      return `event ${action.reason}`;
    case 'delete':
      return `delete ${action.object.metadata.name}`;
    case 'patch':
      return `patch ${action.object.metadata.name} ${JSON.stringify(action.patch)}`;
  }
}

const reconciling = (conditions: readonly Condition[] | undefined) =>
  conditions?.find(({ type }) => type === 'Reconciling');

const UNSCHEDULED: PodObject['status'] = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node has 2Gi' }],
};

function suspended(job: JobObject, annotations: Readonly<Record<string, string>> = {}): JobObject {
  const metadata = { ...job.metadata, annotations: { ...job.metadata.annotations, ...annotations } };
  return { ...job, metadata, spec: { ...job.spec, suspend: true } };
}

function withoutDigest(given: RunSnapshot): RunSnapshot {
  const { revisionDigest: _digest, ...status } = given.run.status ?? {};
  return { ...given, run: { ...given.run, status } };
}

/** The run is pinned to a revision of that name and of another digest. */
function pinnedToOther(given: RunSnapshot): RunSnapshot {
  return { ...given, run: { ...given.run, status: { ...given.run.status, revisionDigest: 'f'.repeat(64) } } };
}

function withoutStage(given: RunSnapshot, name: string): RunSnapshot {
  const stages = given.run.status?.stages?.filter((stage) => stage.name !== name) ?? [];
  return { ...given, run: { ...given.run, status: { ...given.run.status, stages } } };
}

interface Row {
  readonly given: RunSnapshot;
  readonly phase: string;
  readonly reason: string;
  readonly does?: readonly string[];
  readonly message?: string | RegExp;
  readonly requeue?: string;
}

const STARTED = ['create ConfigMap REVISION', 'create Job weekly-extract-migrate-1'];
const EARLIER = '2026-11-23T02:00:00Z';
const LATER = '2026-11-23T02:00:09Z';
const SUSPEND =
  'patch weekly-filter-1 {"metadata":{"annotations":{"holdfast.dev/suspended":"true"}},"spec":{"suspend":true}}';
const TTL = '{"spec":{"ttlSecondsAfterFinished":604800}}';

const NOTHING_ALLOWED = { ...STAGE_SETTINGS, allowed: readAllowedNames(() => undefined) };
const WITH_FILES = storedProgram({ storage: { files: { claimName: 'holdfast-files' } } });
const PINNED_TO_FILES = { program: WITH_FILES, revision: buildRevision(KEEP, WITH_FILES, STAGE_SETTINGS) };

const ROWS: Readonly<Record<string, Row>> = {
  'a new run pins the program and starts the first task': {
    given: snapshot(),
    phase: 'Running',
    reason: 'Running',
    does: STARTED,
  },
  'a run of a program that is not there waits for it': {
    given: snapshot({ program: undefined }),
    phase: 'Pending',
    reason: 'ProgramMissing',
    message: 'there is no RetentionProgram keep in this namespace',
  },
  'a run of a program that is on its way out does not begin': {
    given: snapshot({ program: storedProgram({}, { metadata: { deletionTimestamp: SLOT } }) }),
    phase: 'Pending',
    reason: 'ProgramMissing',
  },
  'a run of a program that is turned off waits': {
    given: snapshot({ program: storedProgram({ enabled: false }) }),
    phase: 'Suspended',
    reason: 'ProgramDisabled',
    does: ['event RunSuspended'],
  },
  'a run of a program with a fault waits, and names the field': {
    given: snapshot({ program: storedProgram({ timeZone: 'Mars/Phobos' }) }),
    phase: 'Pending',
    reason: 'SpecInvalid',
    message: /spec\.timeZone/,
  },
  'a run of a program whose warehouse this version has no connector for waits, and names it': {
    given: snapshot({ program: storedProgram({ dataConnectors: SNOWFLAKE }) }),
    phase: 'Pending',
    reason: 'ProviderUnavailable',
    message: /spec\.dataConnectors\[0\]\.type snowflake is not available yet/,
  },
  'a run of a program whose server nothing says how to connect to waits, and names the field': {
    given: snapshot({
      program: storedProgram({ dataConnectors: [{ ...POSTGRES[0]!, config: { query: 'SELECT * FROM shop' } }] }),
    }),
    phase: 'Pending',
    reason: 'SpecInvalid',
    message: /spec\.dataConnectors\[0\]\.config\.connectionSecretRef is missing/,
  },
  'a run of a pipeline that another version knows waits for that version': {
    given: snapshot({ run: newRun({ pipeline: 'campaign' as never }) }),
    phase: 'Pending',
    reason: 'PipelineUnknown',
  },
  'a run as of a slot that is yet to come fails': {
    given: snapshot({ run: newRun({ slot: '2062-11-23T02:00:00Z' }) }),
    phase: 'Failed',
    reason: 'SlotInFuture',
    does: ['event RunFailed'],
  },
  'a slot of another operator whose clock is a little ahead is none of the future': {
    given: snapshot({ run: newRun({ slot: '2026-11-23T02:14:00Z' }) }),
    phase: 'Running',
    reason: 'Running',
    does: STARTED,
  },
  'a run whose slot is no instant fails': {
    given: snapshot({ run: newRun({ slot: '2026-11-23T02:00:00,5Z' }) }),
    phase: 'Failed',
    reason: 'NoSlot',
    does: ['event RunFailed'],
  },
  'a run as of a year that only its offset from UTC leads to, and that no status can name, fails': {
    given: snapshot({ run: newRun({ slot: '0000-01-01T00:00:00+23:59' }) }),
    phase: 'Failed',
    reason: 'NoSlot',
    message: /of the years 1971 to 2999$/,
    does: ['event RunFailed'],
  },
  'a run waits for another that has a Job already, though by age and name it would go first': {
    given: snapshot({ others: [other(undefined, LATER)], begun: new Set(['other-uid']) }),
    phase: 'Pending',
    reason: 'WaitingForRun',
  },
  'a run of a program whose programId is taken waits': {
    given: snapshot({ twins: [storedProgram({}, { metadata: { name: 'elder', uid: 'elder' } })] }),
    phase: 'Pending',
    reason: 'ProgramIdTaken',
    message: /elder/,
  },
  'a run of a program that names a Secret which programs may not use waits, and makes nothing': {
    given: snapshot({ program: storedProgram(reading('registry')) }),
    phase: 'Pending',
    reason: 'NotAllowed',
    message:
      /^the program's spec\.dataConnectors\[0\]\.config\.connectionSecretRef\.name: the Secret registry is not one/,
  },
  'a run in a namespace of Kubernetes itself waits, and makes nothing': {
    given: snapshot({ program: storedProgram({}, { metadata: { namespace: 'kube-system' } }) }),
    phase: 'Pending',
    reason: 'NotAllowed',
    message: /namespace kube-system is not one whose programs are run/,
  },
  'a run under way makes no further Job once its program may not use what it names, whatever it is pinned to': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE), { settings: NOTHING_ALLOWED, ...PINNED_TO_FILES }),
    phase: 'Suspended',
    reason: 'NotAllowed',
    message: /spec\.storage\.files\.claimName/,
    does: ['event RunSuspended'],
  },
  'nor does the Job that it has go on': {
    given: inFilter(jobOf('filter', 'filter'), { settings: NOTHING_ALLOWED, ...PINNED_TO_FILES }),
    phase: 'Suspended',
    reason: 'NotAllowed',
    does: [SUSPEND, 'event RunSuspended'],
  },
  'a run without storage waits, and names the field': {
    given: snapshot({ settings: { ...STAGE_SETTINGS, artifactsClaim: undefined } }),
    phase: 'Pending',
    reason: 'StorageMissing',
    message: /storage\.artifacts\.claimName/,
  },
  'a run waits for another that has begun': {
    given: snapshot({ others: [other({ phase: 'Running', startTime: LATER }, LATER)] }),
    phase: 'Pending',
    reason: 'WaitingForRun',
    message: /^the run other goes first: they go one after the other/,
  },
  'a run waits for an older one': {
    given: snapshot({ others: [other(undefined, EARLIER)] }),
    phase: 'Pending',
    reason: 'WaitingForRun',
  },
  'a run does not wait for a younger one': {
    given: snapshot({ others: [other(undefined, LATER)] }),
    phase: 'Running',
    reason: 'Running',
    does: STARTED,
  },
  'a run does not wait for one that is suspended before its start': {
    given: snapshot({ others: [other(undefined, EARLIER, { suspend: true })] }),
    phase: 'Running',
    reason: 'Running',
    does: STARTED,
  },
  'a cancelled run that never started is over': {
    given: snapshot({ run: newRun({ cancel: true }) }),
    phase: 'Cancelled',
    reason: 'Cancelled',
    does: ['event RunCancelled'],
  },
  'a ConfigMap of our name that is not ours is waited for': {
    given: snapshot({ attempts: { taken: new Set([attemptKey(REVISION)]), refused: new Map() } }),
    phase: 'Pending',
    reason: 'NameTaken',
    does: ['event NameTaken'],
    requeue: '2026-11-23T02:10:15Z',
  },
  'a foreign Job of our name fails the run': {
    given: snapshot({ attempts: { taken: new Set(['Job shop/weekly-extract-migrate-1']), refused: new Map() } }),
    phase: 'Failed',
    reason: 'NameTaken',
    does: ['event NameTaken', 'event RunFailed'],
  },
  'a Job that may not be made yet, for want of quota, is tried again': {
    given: snapshot({
      attempts: {
        taken: new Set(),
        refused: new Map([['Job shop/weekly-extract-migrate-1', { status: 403, message: 'exceeded quota' }]]),
      },
    }),
    phase: 'Pending',
    reason: 'Refused',
    message: /exceeded quota/,
    requeue: '2026-11-23T02:10:15Z',
  },
  'a Job that is invalid fails the run': {
    given: snapshot({
      attempts: {
        taken: new Set(),
        refused: new Map([['Job shop/weekly-extract-migrate-1', { status: 422, message: 'bad memory' }]]),
      },
    }),
    phase: 'Failed',
    reason: 'Refused',
    message: /bad memory/,
    does: ['event RunFailed'],
  },
  'a task under way is left alone': {
    given: inFilter(jobOf('filter', 'filter'), { pods: [pod({ phase: 'Running' })] }),
    phase: 'Running',
    reason: 'Running',
  },
  'a task that is done starts the next': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE), { pods: [pod(ended(0, { rowsOut: 7 }))] }),
    phase: 'Running',
    reason: 'Running',
    does: ['create Job weekly-score-1'],
  },
  'a task that is done without a word starts the next all the same': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE)),
    phase: 'Running',
    reason: 'Running',
    does: ['create Job weekly-score-1'],
  },
  'a Job that is gone is made again': {
    given: inFilter(undefined),
    phase: 'Running',
    reason: 'Running',
    does: ['create Job weekly-filter-2', 'event TaskRetried'],
  },
  'a task that failed for good fails the run with its own words': {
    given: inFilter(jobOf('filter', 'filter', failedFor('PodFailurePolicy')), {
      pods: [pod(ended(78, { error: { code: 'HF_EXPRESSION_INVALID', message: 'no such column' } }))],
    }),
    phase: 'Failed',
    reason: 'Failed',
    message: 'filter/filter: HF_EXPRESSION_INVALID: no such column',
    does: ['event RunFailed'],
  },
  'a task that was killed for its memory says so': {
    given: inFilter(jobOf('filter', 'filter', failedFor('BackoffLimitExceeded')), {
      pods: [pod(ended(137, '', 'OOMKilled'))],
    }),
    phase: 'Failed',
    reason: 'Failed',
    message: 'filter/filter: OOMKilled: the container ended with status 137 (OOMKilled)',
    does: ['event RunFailed'],
  },
  'a task whose pods are gone fails with what the Job says': {
    given: inFilter(jobOf('filter', 'filter', failedFor('BackoffLimitExceeded'))),
    phase: 'Failed',
    reason: 'Failed',
    message: 'filter/filter: BackoffLimitExceeded: Job has failed',
    does: ['event RunFailed'],
  },
  'an image that cannot be pulled is named': {
    given: inFilter(jobOf('filter', 'filter'), { pods: [pod(waitingFor('ErrImagePull', 'rpc error'))] }),
    phase: 'Running',
    reason: 'ImagePullBackOff',
    message: 'filter/filter: the image holdfast:nowhere cannot be pulled',
    does: ['event TaskStuck'],
    requeue: '2026-11-23T02:10:15Z',
  },
  'a secret that is not there is named': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: [pod(waitingFor('CreateContainerConfigError', 'secret "holdfast-postgres" not found'))],
    }),
    phase: 'Running',
    reason: 'CreateContainerConfigError',
    message: 'filter/filter: secret "holdfast-postgres" not found',
    does: ['event TaskStuck'],
    requeue: '2026-11-23T02:10:15Z',
  },
  'a volume that is not there is named': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: [
        pod(
          {
            phase: 'Pending',
            conditions: [
              {
                type: 'PodScheduled',
                status: 'False',
                reason: 'Unschedulable',
                message: 'persistentvolumeclaim "holdfast-artifacts" not found',
              },
            ],
          },
          '2026-11-23T02:09:00Z',
        ),
      ],
    }),
    phase: 'Running',
    reason: 'Unschedulable',
    message: /persistentvolumeclaim "holdfast-artifacts" not found/,
    does: ['event TaskStuck'],
    requeue: '2026-11-23T02:10:15Z',
  },
  'a container that has just begun to be made is given time': {
    given: inFilter(jobOf('filter', 'filter'), { pods: [pod(waitingFor('ContainerCreating', ''))] }),
    phase: 'Running',
    reason: 'Running',
    requeue: '2026-11-23T02:10:20Z',
  },
  'a container that is being made for long waits for a volume': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: [pod(waitingFor('ContainerCreating', ''), '2026-11-23T02:09:00Z')],
    }),
    phase: 'Running',
    reason: 'ContainerCreating',
    message: /claim holdfast-artifacts/,
    does: ['event TaskStuck'],
    requeue: '2026-11-23T02:10:15Z',
  },
  'a Job without a pod for long says where to look': {
    given: inFilter(jobOf('filter', 'filter')),
    phase: 'Running',
    reason: 'NoPod',
    message: /kubectl describe job weekly-filter-1/,
    does: ['event TaskStuck'],
    requeue: '2026-11-23T02:10:15Z',
  },
  'a Job without a pod for long says what Kubernetes says of it': {
    given: inFilter(jobOf('filter', 'filter'), { lastWarning: 'FailedCreate: serviceaccount "tasks" not found' }),
    phase: 'Running',
    reason: 'NoPod',
    message: 'filter/filter: no pod was made for the Job: FailedCreate: serviceaccount "tasks" not found',
    does: ['event TaskStuck'],
    requeue: '2026-11-23T02:10:15Z',
  },
  'a task whose first try failed is tried again, and says after what': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: [
        pod(ended(1, { error: { code: 'HF_WAREHOUSE_UNREADABLE', message: 'shop.parquet is not there' } })),
        pod({ phase: 'Running' }),
      ],
    }),
    phase: 'Running',
    reason: 'Retrying',
    message: 'filter/filter: it is tried again after HF_WAREHOUSE_UNREADABLE: shop.parquet is not there',
    does: ['event TaskRetried'],
  },
  'a task that failed for good is not said to be tried again, though its Job is yet to say so': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: [pod(ended(78, { error: { code: 'HF_MODEL_MISSING', message: 'risk.onnx is not there' } }))],
    }),
    phase: 'Running',
    reason: 'Running',
    does: [],
  },
  'nor is one whose fourth try has failed, of which three were to be repeated': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: Array.from({ length: 4 }, () =>
        pod(ended(1, { error: { code: 'HF_WAREHOUSE_UNREADABLE', message: 'shop.parquet is not there' } })),
      ),
    }),
    phase: 'Running',
    reason: 'Running',
    does: [],
  },
  'a suspended run suspends its Job': {
    given: inFilter(jobOf('filter', 'filter'), {}, { suspend: true }),
    phase: 'Suspended',
    reason: 'Suspended',
    does: [SUSPEND, 'event RunSuspended'],
  },
  'a suspended run suspends a Job, too, that was made just before and is not in its status': {
    given: inFilter(
      undefined,
      {
        jobs: new Map(
          [jobOf('filter', 'filter', COMPLETE), jobOf('score', 'score')].map((job) => [job.metadata.name, job]),
        ),
      },
      { suspend: true },
    ),
    phase: 'Suspended',
    reason: 'Suspended',
    does: [SUSPEND.replace('filter', 'score'), 'event RunSuspended'],
  },
  'a Job that we suspended goes on with its run': {
    given: inFilter(
      suspended(jobOf('filter', 'filter', { conditions: [{ type: 'Suspended', status: 'True' }] }), {
        'holdfast.dev/suspended': 'true',
      }),
    ),
    phase: 'Running',
    reason: 'Running',
    does: [
      'patch weekly-filter-1 {"metadata":{"annotations":{"holdfast.dev/suspended":null}},"spec":{"suspend":false}}',
    ],
  },
  'a Job that others suspended, such as Kueue, does not become ours when its run is suspended, too': {
    given: inFilter(suspended(jobOf('filter', 'filter')), {}, { suspend: true }),
    phase: 'Suspended',
    reason: 'Suspended',
    does: ['event RunSuspended'],
  },
  'a run under way whose next Job is refused is under way': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE), {
      attempts: {
        taken: new Set(),
        refused: new Map([['Job shop/weekly-score-1', { status: 403, message: 'exceeded quota' }]]),
      },
    }),
    phase: 'Running',
    reason: 'Refused',
    requeue: '2026-11-23T02:10:15Z',
  },
  'a Job that was deleted, and may not be made again yet, is not said to be made': {
    given: inFilter(undefined, {
      attempts: {
        taken: new Set(),
        refused: new Map([['Job shop/weekly-filter-2', { status: 403, message: 'exceeded quota' }]]),
      },
    }),
    phase: 'Running',
    reason: 'Refused',
    requeue: '2026-11-23T02:10:15Z',
  },
  'a pod that waits for long and is being deleted is no reason to look again and again': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: [leaving({ phase: 'Pending' }, '2026-11-23T02:00:00Z'), pod({ phase: 'Running' })],
    }),
    phase: 'Running',
    reason: 'Running',
  },
  'a Job that others suspended, such as Kueue, is left to them': {
    given: inFilter(suspended(jobOf('filter', 'filter'))),
    phase: 'Running',
    reason: 'JobSuspended',
  },
  'a pod that has just been found no node for is given time': {
    given: inFilter(jobOf('filter', 'filter'), { pods: [pod(UNSCHEDULED)] }),
    phase: 'Running',
    reason: 'Running',
    requeue: '2026-11-23T02:10:20Z',
  },
  'a pod that was evicted says why': {
    given: inFilter(jobOf('filter', 'filter', failedFor('BackoffLimitExceeded')), {
      pods: [pod({ ...ended(137, ''), reason: 'Evicted', message: 'Usage of EmptyDir volume "scratch" exceeds 10Gi' })],
    }),
    phase: 'Failed',
    reason: 'Failed',
    message: 'filter/filter: Evicted: Usage of EmptyDir volume "scratch" exceeds 10Gi',
    does: ['event RunFailed'],
  },
  'a suspended run whose task is done starts no other': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE), {}, { suspend: true }),
    phase: 'Suspended',
    reason: 'Suspended',
    does: ['event RunSuspended'],
  },
  'turning the program off suspends its run': {
    given: inFilter(jobOf('filter', 'filter'), { program: storedProgram({ enabled: false }) }),
    phase: 'Suspended',
    reason: 'ProgramDisabled',
    does: [SUSPEND, 'event RunSuspended'],
  },
  'a cancelled run ends its Job': {
    given: inFilter(jobOf('filter', 'filter'), {}, { cancel: true }),
    phase: 'Cancelled',
    reason: 'Cancelled',
    does: ['delete weekly-filter-1', 'event RunCancelled'],
  },
  'deleting the program ends the run under way': {
    given: inFilter(jobOf('filter', 'filter'), { program: undefined }),
    phase: 'Failed',
    reason: 'ProgramDeleted',
    does: ['delete weekly-filter-1', 'event RunFailed'],
  },
  'a ConfigMap that somebody put in the place of the revision is not run': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE), {
      revision: { ...REVISION, data: { ...REVISION.data, image: 'evil.example/miner' } },
    }),
    phase: 'Failed',
    reason: 'RevisionLost',
    does: ['event RunFailed'],
  },
  'a ConfigMap whose content has the name of the revision, but not its digest, is not run': {
    given: pinnedToOther(inFilter(jobOf('filter', 'filter', COMPLETE))),
    phase: 'Failed',
    reason: 'RevisionLost',
    does: ['event RunFailed'],
  },
  'a revision is made again under its name only when it has its digest': {
    given: pinnedToOther(inFilter(jobOf('filter', 'filter', COMPLETE), { revision: undefined })),
    phase: 'Failed',
    reason: 'RevisionLost',
    does: ['event RunFailed'],
  },
  'a run that begins is not pinned to a ConfigMap with the name of its revision and another digest': {
    given: snapshot({ revision: REVISION, revisionIdentity: 'f'.repeat(64) }),
    phase: 'Failed',
    reason: 'RevisionLost',
    does: ['event RunFailed'],
  },
  'a run that an older version began, without a digest, goes on by the name': {
    given: withoutDigest(inFilter(jobOf('filter', 'filter', COMPLETE))),
    phase: 'Running',
    reason: 'Running',
    does: ['create Job weekly-score-1'],
  },
  'a revision that was deleted after the program changed fails a run, too, that an older version began': {
    given: withoutDigest(
      inFilter(jobOf('filter', 'filter', COMPLETE), {
        revision: undefined,
        program: storedProgram({ programName: 'Another' }),
      }),
    ),
    phase: 'Failed',
    reason: 'RevisionLost',
    does: ['event RunFailed'],
  },
  'a stage that a newer version has added since the run began is recorded': {
    given: withoutStage(inFilter(jobOf('filter', 'filter', COMPLETE)), 'score'),
    phase: 'Running',
    reason: 'Running',
    does: ['create Job weekly-score-1'],
  },
  'a revision that was deleted is made again while the program is what it was': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE), { revision: undefined }),
    phase: 'Running',
    reason: 'Running',
    does: ['create ConfigMap REVISION', 'create Job weekly-score-1'],
  },
  'a revision that was deleted after the program changed fails the run': {
    given: inFilter(jobOf('filter', 'filter', COMPLETE), {
      revision: undefined,
      program: storedProgram({ programName: 'Another' }),
    }),
    phase: 'Failed',
    reason: 'RevisionLost',
    does: ['event RunFailed'],
  },
  'a Job whose outcome is recorded may go': {
    given: inFilter(jobOf('filter', 'filter'), {
      pods: [pod({ phase: 'Running' })],
      jobs: new Map(
        [jobOf('extract', 'extract', COMPLETE), jobOf('filter', 'filter')].map((job) => [job.metadata.name, job]),
      ),
    }),
    phase: 'Running',
    reason: 'Running',
    does: [`patch weekly-extract-1 ${TTL}`],
  },
};

test.each(Object.entries(ROWS))('decided again, nothing more is done: %s', (_name, { given }) => {
  expectRunSettles(given, NOW);
});

test.each(Object.entries(ROWS))('%s', (_name, { given, phase, reason, does = [], message, requeue }) => {
  const { actions, status, requeueAt } = decideRun(given, NOW);
  const condition = reconciling(status.conditions);
  expect({ phase: status.phase, reason: condition?.reason, does: actions.map(brief) }).toEqual({ phase, reason, does });
  if (message !== undefined)
    expect(condition?.message).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message);
  expect(requeueAt && rfc3339(requeueAt)).toBe(requeue);
});

test.each([
  ['before the slot, as of the one before it', '2026-11-23T01:59:59Z', '2026-11-16T02:00:00Z'],
  ['after the slot, as of it', '2026-11-23T02:00:01Z', '2026-11-23T02:00:00Z'],
  ['in the future, by a clock ahead of ours, as of the slot that is known now', '2026-12-01T00:00:00Z', SLOT],
])('a run without a slot that was made %s', (_name, creationTimestamp, slot) => {
  const made = newRun();
  const { slot: _slot, ...spec } = made.spec;
  const given = snapshot({ run: { ...made, spec, metadata: { ...made.metadata, creationTimestamp } } });
  expect(decideRun(given, NOW).status).toMatchObject({ phase: 'Running', slot });
});

test('a run that begins is pinned by the whole digest, of which the name of its revision has the beginning', () => {
  const { status } = decideRun(snapshot(), NOW);
  expect(status.revisionDigest).toMatch(/^[0-9a-f]{64}$/);
  expect(status.revision).toBe(`keep-${status.revisionDigest?.slice(0, 20)}`);
  const other = buildRevision(KEEP, PROGRAM, { ...STAGE_SETTINGS, image: 'holdfast:other' });
  expect(pinnedRevision(other, KEEP)?.identity).not.toBe(status.revisionDigest);
});

test('for a run that is on its way out nothing more is made, and its status stays', () => {
  const given = inFilter(jobOf('filter', 'filter', COMPLETE));
  const metadata = { ...given.run.metadata, deletionTimestamp: SLOT };
  const { actions, status } = decideRun({ ...given, run: { ...given.run, metadata } }, NOW);
  expect(actions).toEqual([]);
  expect(status).toEqual(given.run.status);
});

test('a task that is recorded as done is not done again when its Job is gone', () => {
  const given = inFilter(undefined);
  const stages = given.run.status?.stages?.map((stage) =>
    stage.name === 'filter' ? { ...stage, phase: 'Succeeded' as const } : stage,
  );
  const run = { ...given.run, status: { ...given.run.status, stages: stages! } };
  expect(decideRun({ ...given, run }, NOW).actions.map(brief)).toEqual(['create Job weekly-score-1']);
});

test('a stage is done with its last task, and not with one before', () => {
  const first = decideRun(snapshot(), NOW).status;
  const job = jobOf('extract', 'migrate', COMPLETE);
  const given = snapshot({ run: newRun({}, first), revision: REVISION, jobs: new Map([[job.metadata.name, job]]) });
  const { status, actions } = decideRun({ ...given, pods: [pod(ended(0, { rowsOut: 7 }))] }, NOW);
  expect(actions.map(brief)).toEqual(['create Job weekly-extract-1']);
  expect(status.stages?.[0]).toMatchObject({ name: 'extract', phase: 'Running', task: 'extract' });
  expect(status.stages?.[0]).not.toHaveProperty('rowsOut');
  expect(status.stages?.[0]).not.toHaveProperty('completionTime');
  const held = { ...given, run: newRun({ suspend: true }, first) };
  expect(decideRun(held, NOW).status.stages?.[0]?.phase).toBe('Running');
  // It began with its first task.
  const later = decideRun({ ...given, pods: [] }, new Date('2026-11-23T02:20:00Z')).status;
  expect(later.stages?.[0]?.startTime).toBe(rfc3339(NOW));
});

test('a Job that somebody is deleting is given no time to live', () => {
  const extract = jobOf('extract', 'extract', COMPLETE);
  const leaves = { ...extract, metadata: { ...extract.metadata, deletionTimestamp: SLOT } };
  const filter = jobOf('filter', 'filter');
  const all = new Map([leaves, filter].map((job) => [job.metadata.name, job]));
  expect(decideRun(inFilter(filter, { jobs: all, pods: [pod({ phase: 'Running' })] }), NOW).actions).toEqual([]);
});

test('cancelling a suspended run ends the stage that it is in, and deletes no Job that is being deleted', () => {
  const job = suspended(jobOf('filter', 'filter'));
  const leaves = { ...job, metadata: { ...job.metadata, deletionTimestamp: SLOT } };
  const given = inFilter(leaves, {}, { cancel: true });
  const stages = given.run.status?.stages?.map((stage) =>
    stage.name === 'filter' ? { ...stage, phase: 'Suspended' as const } : stage,
  );
  const run = { ...given.run, status: { ...given.run.status, phase: 'Suspended' as const, stages: stages! } };
  const { status, actions } = decideRun({ ...given, run }, NOW);
  expect(actions.map(brief)).toEqual(['event RunCancelled']);
  expect(status.stages?.find(({ name }) => name === 'filter')).toMatchObject({
    phase: 'Cancelled',
    completionTime: rfc3339(NOW),
  });
});

test('a task that is too late has failed for that, whatever its pod says of being ended', () => {
  const pods = [pod(ended(1, { error: { code: 'HF_INTERRUPTED', message: 'it was told to stop' } }))];
  const { status } = decideRun(inFilter(jobOf('filter', 'filter', failedFor('DeadlineExceeded')), { pods }), NOW);
  expect(status.stages?.find(({ name }) => name === 'filter')?.errorCode).toBe('DeadlineExceeded');
});

test('of what a task reports as much is kept as a status may hold: 64 counts, none of them below nothing', () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`removed${index}`, index]));
  const reported = (message: object) => {
    const given = inFilter(jobOf('filter', 'filter', COMPLETE), { pods: [pod(ended(0, message))] });
    return decideRun(given, NOW).status.stages?.find(({ name }) => name === 'filter');
  };
  expect(Object.keys(reported({ rowsOut: 7, counts: many })?.counts ?? {})).toHaveLength(64);
  const odd = reported({ rowsIn: -1, rowsOut: 1.5, counts: { below: -1, whole: 3, text: 'x' } });
  expect(odd).toMatchObject({ counts: { whole: 3 } });
  expect(odd).not.toHaveProperty('rowsIn');
  expect(odd).not.toHaveProperty('rowsOut');
});

test('a run that has begun stays begun, also while it is suspended: no other may begin beside it', () => {
  const given = inFilter(jobOf('filter', 'filter'), {}, { suspend: true });
  expect(decideRun(given, NOW).status.startTime).toBe(given.run.status?.startTime);
  expect(given.run.status?.startTime).toBeDefined();
});

test('what a condition says is never longer than a status may hold, however much the API server said', () => {
  const refused = new Map([['Job shop/weekly-score-1', { status: 403, message: 'x'.repeat(100_000) }]]);
  const given = inFilter(jobOf('filter', 'filter', COMPLETE), { attempts: { taken: new Set(), refused } });
  const lengths = decideRun(given, NOW).status.conditions?.map(({ message }) => message.length);
  expect(Math.max(...(lengths ?? []))).toBe(4096);
});

test('what no sense can be made of fails a run that has not begun, and no work that is under way', () => {
  const spec = { ...PROGRAM.spec };
  Object.defineProperty(spec, 'enabled', {
    get() {
      throw new Error('no sense in it');
    },
  });
  const program = { ...PROGRAM, spec };
  const fresh = decideRun(snapshot({ program }), NOW).status;
  expect([fresh.phase, reconciling(fresh.conditions)?.reason]).toEqual(['Failed', 'InternalError']);
  expect(() => decideRun(inFilter(jobOf('filter', 'filter'), { program }), NOW)).toThrow('no sense in it');
});

test('that a run is suspended is said once', () => {
  const given = inFilter(
    suspended(jobOf('filter', 'filter'), { 'holdfast.dev/suspended': 'true' }),
    {},
    { suspend: true },
  );
  const again = { ...given, run: { ...given.run, status: decideRun(given, NOW).status } };
  expect(decideRun(again, NOW).actions).toEqual([]);
});

test('the Job of a run that has succeeded keeps its logs, also where its end has not been heard of', () => {
  const given = inFilter(jobOf('filter', 'filter'));
  const over = { ...given, run: { ...given.run, status: { ...given.run.status, phase: 'Succeeded' as const } } };
  expect(decideRun(over, NOW).actions).toEqual([]);
});

test('a pod that was stuck at its image ends at its deadline with a message that names the image', () => {
  const stuck = inFilter(jobOf('filter', 'filter'), { pods: [pod(waitingFor('ImagePullBackOff', 'Back-off'))] });
  const { status } = decideRun(stuck, NOW);
  const late = inFilter(jobOf('filter', 'filter', failedFor('DeadlineExceeded')), { run: newRun({}, status) });
  const decision = decideRun(late, NOW);
  expect(decision.status.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
    status: 'True',
    reason: 'DeadlineExceeded',
    message: 'filter/filter: DeadlineExceeded: it took longer than it may: the image holdfast:nowhere cannot be pulled',
  });
});

test.each<[string, JobObject['status'], PodObject[]]>([
  ['its pod is deleted', { startTime: SLOT, active: 1 }, [leaving(ended(137, '', 'ContainerStatusUnknown'))]],
  ['its pod is gone', { startTime: SLOT, conditions: [{ type: 'FailureTarget', status: 'True' }] }, []],
])('what a pod was stuck at is known to the end, also while %s at the deadline', (_name, state, pods) => {
  const stuck = inFilter(jobOf('filter', 'filter'), { pods: [pod(waitingFor('ImagePullBackOff', 'Back-off'))] });
  const { status } = decideRun(stuck, NOW);
  const ending = inFilter(jobOf('filter', 'filter', state), { run: newRun({}, status), pods });
  expect(decideRun(ending, NOW)).toEqual({ actions: [], status });
});

test('a pod that is deleted does not hide what the one in its place waits for', () => {
  const pods = [leaving({ phase: 'Running' }), pod(waitingFor('ErrImagePull', 'a'))];
  const { status } = decideRun(inFilter(jobOf('filter', 'filter'), { pods }), NOW);
  expect(reconciling(status.conditions)?.reason).toBe('ImagePullBackOff');
});

/** A pod of one shard. */
function shard(index: number, status: PodObject['status']): PodObject {
  const made = pod(status);
  const annotations = { 'batch.kubernetes.io/job-completion-index': String(index) };
  return { ...made, metadata: { ...made.metadata, annotations } };
}

const error = (code: string) => ({ error: { code, message: 'so it is' } });
const interrupted = ended(1, error('HF_INTERRUPTED'));
const RUNNING: PodObject['status'] = { phase: 'Running' };

test.each<[string, PodObject[], string]>([
  [
    'a shard that failed is named, though another has succeeded since',
    [shard(0, ended(0, {})), shard(1, ended(1, error('HF_DISK_FULL'))), shard(2, RUNNING)],
    'filter/filter: it is tried again after HF_DISK_FULL: shard 1: so it is',
  ],
  [
    'a shard that failed and then succeeded is of the past',
    [shard(1, ended(1, error('HF_DISK_FULL'))), shard(1, ended(0, {})), shard(0, RUNNING)],
    'filter/filter is under way',
  ],
  [
    'a shard that says nothing is named, too',
    [shard(0, RUNNING), shard(2, ended(137, '', 'OOMKilled'))],
    'filter/filter: it is tried again after OOMKilled: shard 2: the container ended with status 137 (OOMKilled)',
  ],
  [
    'a shard whose index is no number is a pod without one',
    [shard('x y'.length, RUNNING), { ...shard(Number.NaN, ended(1, error('HF_DISK_FULL'))) }],
    'filter/filter: it is tried again after HF_DISK_FULL: so it is',
  ],
])('%s', (_name, pods, message) => {
  const { status } = decideRun(inFilter(jobOf('filter', 'filter'), { pods }), NOW);
  expect(reconciling(status.conditions)?.message).toBe(message);
});

test.each<[string, PodObject[]]>([
  ['and the others are ended for it', [shard(0, interrupted), shard(1, ended(78, error('HF_MODEL_MISSING')))]],
  ['though its pod is deleted', [leaving(ended(78, error('HF_MODEL_MISSING'))), shard(2, interrupted)]],
])('what failed a Job of shards is what cannot be mended, %s', (_name, pods) => {
  const left = pods.map((one) => (one.status === interrupted ? { ...one, ...gone(one) } : one));
  const { status } = decideRun(
    inFilter(jobOf('filter', 'filter', failedFor('PodFailurePolicy')), { pods: left.toReversed() }),
    NOW,
  );
  expect(status.stages?.find(({ name }) => name === 'filter')?.errorCode).toBe('HF_MODEL_MISSING');
});

function gone({ metadata }: PodObject): Pick<PodObject, 'metadata'> {
  return { metadata: { ...metadata, deletionTimestamp: '2026-11-23T02:09:59Z' } };
}

test('a shard that waits for a volume that another node has says what such a volume must be', () => {
  const revision = buildRevision(
    KEEP,
    storedProgram({ execution: { ...PROGRAM.spec.execution, shards: 2 } }),
    STAGE_SETTINGS,
  );
  const pods = [shard(0, RUNNING), { ...shard(1, { phase: 'Pending' as const }) }];
  const [, { metadata }] = pods as [PodObject, PodObject];
  const long = { ...pods[1]!, metadata: { ...metadata, creationTimestamp: EARLIER } };
  const given = inFilter(jobOf('filter', 'filter'), { revision, pods: [pods[0]!, long], lastWarning: 'Multi-Attach' });
  const { status } = decideRun(given, NOW);
  expect(reconciling(status.conditions)).toMatchObject({
    reason: 'ContainerCreating',
    message: expect.stringMatching(
      /claim holdfast-artifacts\), which .* only if they are ReadWriteMany: Multi-Attach$/,
    ),
  });
});

test('of shards that wait, the one that has waited longest says when to look again', () => {
  const created = '2026-11-23T02:09:40Z';
  const older = { ...shard(1, { phase: 'Pending' }) };
  const pods = [
    shard(0, { phase: 'Pending' }),
    { ...older, metadata: { ...older.metadata, creationTimestamp: created } },
  ];
  const { requeueAt } = decideRun(inFilter(jobOf('filter', 'filter'), { pods }), NOW);
  expect(requeueAt && rfc3339(requeueAt)).toBe('2026-11-23T02:10:10Z');
});

test('what is missing and then appears leaves no trace', () => {
  const stuck = inFilter(jobOf('filter', 'filter'), {
    pods: [pod(waitingFor('CreateContainerConfigError', 'secret "x" not found'))],
  });
  const { status } = decideRun(stuck, NOW);
  const healed = decideRun({ ...stuck, run: newRun({}, status), pods: [pod({ phase: 'Running' })] }, NOW);
  expect(healed.status.stages).toEqual(stuck.run.status?.stages);
  expect(reconciling(healed.status.conditions)?.reason).toBe('Running');
});

test('what is said once of a pod that is stuck is not said again', () => {
  const stuck = inFilter(jobOf('filter', 'filter'), { pods: [pod(waitingFor('ErrImagePull', 'a'))] });
  const first = decideRun(stuck, NOW);
  const second = decideRun(
    { ...stuck, run: newRun({}, first.status), pods: [pod(waitingFor('ImagePullBackOff', 'b'))] },
    NOW,
  );
  expect(second.actions).toEqual([]);
  expect(second.status).toEqual(first.status);
});

test.each([
  [4, 'Running', undefined],
  [5, 'Failed', 'JobLost'],
])('after Job %i of a task was deleted the run is %s', (attempt, phase, reason) => {
  const given = inFilter(undefined);
  const stages = given.run.status?.stages?.map((stage) => (stage.name === 'filter' ? { ...stage, attempt } : stage));
  const { status } = decideRun({ ...given, run: newRun({}, { ...given.run.status, stages: stages! }) }, NOW);
  expect(status.phase).toBe(phase);
  const stalled = status.conditions?.find(({ type }) => type === 'Stalled');
  expect(stalled?.status === 'True' ? stalled.reason : undefined).toBe(reason);
});

test('a run that is over stays as it is, whatever else happens', () => {
  const over = decideRun(snapshot({ run: newRun({ cancel: true }) }), NOW).status;
  const later = decideRun(snapshot({ run: newRun({}, over), program: undefined }), new Date('2027-01-01T00:00:00Z'));
  expect(later).toEqual({ actions: [], status: over });
});

/** A run whose last Job has succeeded, which its status does not say yet. */
function published(change: Partial<RunSnapshot> = {}, spec: Partial<RunObject['spec']> = {}): RunSnapshot {
  const job = jobOf('store', 'store', COMPLETE);
  const { name } = job.metadata;
  const { run, ...given } = inFilter(undefined, change, spec);
  const stages = run.status!.stages!.map((stage) =>
    stage.name === 'store'
      ? { name: 'store', phase: 'Running' as const, task: 'store', job: name, attempt: 1, startTime: SLOT }
      : { name: stage.name, phase: 'Succeeded' as const },
  );
  return { ...given, run: { ...run, status: { ...run.status, stages } }, jobs: new Map([[name, job]]) };
}

test.each<[string, Partial<RunSnapshot>, Partial<RunObject['spec']>]>([
  ['somebody wants it cancelled', {}, { cancel: true }],
  ['somebody wants it suspended', {}, { suspend: true }],
  ['its program is gone', { program: undefined }, {}],
  ['somebody changed what it was pinned to', { revision: { ...REVISION, data: {} } }, {}],
  [
    'a newer one takes its place',
    {
      program: storedProgram({ concurrencyPolicy: 'Replace' }),
      others: [scheduled(other({ startTime: SLOT }, SLOT, { slot: '2026-11-30T02:00:00Z', trigger: 'schedule' }))],
    },
    { trigger: 'schedule' },
  ],
])('a run whose last Job has succeeded has done so, too, although %s by now', (_name, change, spec) => {
  const { run, ...given } = published(change, spec);
  const { actions, status } = decideRun({ ...given, run: scheduled(run) }, NOW);
  expect([status.phase, status.stages?.at(-1)?.phase]).toEqual(['Succeeded', 'Succeeded']);
  expect(actions.map(brief).filter((action) => !action.startsWith('patch'))).toEqual([]);
});

test.each<[string, Partial<RunSnapshot>, Partial<RunObject['spec']>]>([
  ['somebody wants it cancelled', {}, { cancel: true }],
  [
    'a newer one takes its place',
    {
      program: storedProgram({ concurrencyPolicy: 'Replace' }),
      others: [scheduled(other({ startTime: SLOT }, SLOT, { slot: '2026-11-30T02:00:00Z', trigger: 'schedule' }))],
    },
    { trigger: 'schedule' },
  ],
])('a run whose last pod has ended with 0 waits for its Job to say so, although %s by now', (_name, change, spec) => {
  const { run, jobs, ...given } = published(change, spec);
  const [[name, { status: _succeeded, ...job }]] = [...jobs] as [[string, JobObject]];
  const done = pod({ phase: 'Running', containerStatuses: [{ name: 'task', state: { terminated: { exitCode: 0 } } }] });
  const decided = decideRun({ ...given, run: scheduled(run), jobs: new Map([[name, job]]), pods: [done] }, NOW);
  expect(decided.status.phase).toBe('Running');
  expect(decided.actions.map(brief)).toEqual([]);
  // A pod that failed has done nothing.
  const failed = pod({
    phase: 'Failed',
    containerStatuses: [{ name: 'task', state: { terminated: { exitCode: 1 } } }],
  });
  const other = decideRun({ ...given, run: scheduled(run), jobs: new Map([[name, job]]), pods: [failed] }, NOW);
  expect(other.status.phase).toBe('Cancelled');
});

/** Made by the operator. */
function scheduled(run: RunObject): RunObject {
  return { ...run, metadata: { ...run.metadata, ownerReferences: [ownerReference(PROGRAM)] } };
}

test('a run that was cancelled before its newest Job was seen ends that Job when it sees it', () => {
  const over = decideRun(inFilter(undefined, {}, { cancel: true }), NOW).status;
  const late = inFilter(jobOf('filter', 'filter'), { run: newRun({ cancel: true }, over) });
  expect(decideRun(late, NOW).actions.map(brief)).toEqual(['delete weekly-filter-1']);
});

test('a run that is over observes a later generation, and nothing else', () => {
  const over = decideRun(snapshot({ run: newRun({ cancel: true }) }), NOW).status;
  const run = newRun({ cancel: true, suspend: true }, over);
  const { actions, status } = decideRun(
    snapshot({ run: { ...run, metadata: { ...run.metadata, generation: 2 } } }),
    NOW,
  );
  expect({ actions, status }).toEqual({ actions: [], status: { ...over, observedGeneration: 2 } });
});

test('a condition keeps the time at which it last changed', () => {
  const first = decideRun(snapshot({ program: undefined }), NOW).status;
  const again = decideRun(
    snapshot({ program: undefined, run: newRun({}, first) }),
    new Date('2026-11-24T00:00:00Z'),
  ).status;
  expect(again).toEqual(first);
});

test('every reason is in the table of reasons', () => {
  const reasons = Object.values(ROWS).map(({ reason }) => reason);
  expect(reasons.filter((reason) => !Object.hasOwn(CONDITION_REASONS, reason))).toEqual([]);
});
