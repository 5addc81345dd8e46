/** Why a condition is as it is, in one word that programs can match. Each with what it means. */
export const CONDITION_REASONS = {
  Scheduled: 'The program is accepted and its next slot is known.',
  ScheduleOver: 'The program is accepted, and the years of its schedule are over: it never runs again by itself.',
  Disabled: 'The program is accepted and turned off.',
  SpecInvalid: 'The spec cannot be carried out; the message names the field.',
  ProviderUnavailable: 'A connector or model of the program is of a kind that this version cannot use.',
  NotAllowed:
    'The program names a Secret, claim or service account that programs may not use, or is in a namespace whose programs are not run; the message names it.',
  StorageMissing: 'Neither the program nor the operator says where the database or the artifacts are.',
  ProgramIdTaken: 'An older program of the namespace has the same programId.',
  Succeeded: 'The run is done and its result is published.',
  NoCandidates: 'The run is done, and nobody is a candidate; the message says where they were left out.',
  Failed: 'The run has failed; the message names the task and the error.',
  Cancelled: 'Someone cancelled the run.',
  Running: 'A task of the run is under way.',
  Suspended: 'Someone suspended the run.',
  JobSuspended: 'Somebody else, such as Kueue, has suspended the Job of the task.',
  ProgramDisabled: 'The program is turned off; the run goes on when it is turned on.',
  ProgramMissing: 'There is no such program; the run starts when it appears.',
  ProgramDeleted: 'The program was deleted while the run was under way.',
  WaitingForRun: 'Another run of the program goes first; the message names it.',
  WaitingForCapacity:
    'As many runs are at work as may be at once (`runs.maxConcurrent` of the chart), or as leave a place to other namespaces; next begins the oldest of the namespace with the fewest at work, backfills last.',
  StartSpread: 'The run begins a little after its slot, so that the programs of one minute do not all begin together.',
  WaitingForBatch:
    'The pipeline of the run comes after another, of which no run has succeeded for the slot; the message names it.',
  BatchMissed: 'Until its deadline no run of the pipeline that it comes after had succeeded for its slot.',
  OldSlot: 'The run would reach people, and is not of the newest slot of its schedule: nobody is told late, or twice.',
  SlotDone: 'The run would reach people, who have been told of its slot, or of a later one: nobody is told twice.',
  NothingToRetry:
    'The run that this one is another try of is not there, or is none that can be tried again; the message says why.',
  Replaced: 'A newer run of the same schedule took the place of the run (`concurrencyPolicy: Replace`).',
  NoSlot: 'The schedule has had no slot yet, and the run names none.',
  SlotInFuture: 'The slot of the run is yet to come.',
  PipelineUnknown: 'This version of the operator does not know the pipeline of the run.',
  InternalError: 'The operator cannot make sense of the object; the message holds what it says.',
  RevisionLost: 'The ConfigMap of the revision that the run is pinned to is gone or was changed.',
  NameTaken: 'An object that is not ours has the name that ours must have.',
  Refused: 'The API server refuses an object that the run needs; the message says why.',
  JobLost: 'The Job of a task was deleted again and again.',
  Retrying: 'A try at the task has failed and it is tried again; the message holds the error.',
  PodDisrupted:
    'The pod of the task was evicted, preempted or deleted, or its node is gone; the message says until when its Job waits before it makes another.',
  NoPod: 'No pod was made for the Job of the task; the message says why.',
  ImagePullBackOff: 'The image of the task cannot be pulled.',
  Unschedulable: 'No node can take the pod of the task, such as for want of memory or of its volume.',
  CreateContainerConfigError: 'The container of the task cannot be made, such as for want of a secret.',
  PodInitializing: 'The pod of the task has waited for long for a container that others put before it.',
  ContainerCreating: 'The pod of the task has waited for long for its volumes.',
  DeadlineExceeded: 'The task took longer than it may.',
} as const;

export type ConditionReason = keyof typeof CONDITION_REASONS;
