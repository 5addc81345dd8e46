/** Why a condition is as it is, in one word that programs can match. Each with what it means. */
export const CONDITION_REASONS = {
  Scheduled: 'The program is accepted and its next slot is known.',
  Disabled: 'The program is accepted and turned off.',
  SpecInvalid: 'The spec cannot be carried out; the message names the field.',
  StorageMissing: 'Neither the program nor the operator says where the database or the artifacts are.',
  ProgramIdTaken: 'An older program of the namespace has the same programId.',
  Succeeded: 'The run is done and its result is published.',
  Failed: 'The run has failed; the message names the task and the error.',
  Cancelled: 'Someone cancelled the run.',
  Running: 'A task of the run is under way.',
  Starting: 'The run is about to start.',
  Suspended: 'Someone suspended the run.',
  ProgramDisabled: 'The program is turned off; the run goes on when it is turned on.',
  ProgramMissing: 'There is no such program; the run starts when it appears.',
  ProgramDeleted: 'The program was deleted while the run was under way.',
  WaitingForRun: 'Another run of the program goes first.',
  NoSlot: 'The schedule has had no slot yet, and the run names none.',
  RevisionLost: 'The ConfigMap of the revision that the run is pinned to is gone or was changed.',
  NameTaken: 'An object that is not ours has the name that ours must have.',
  Refused: 'The API server refuses an object that the run needs; the message says why.',
  JobLost: 'The Job of a task was deleted again and again.',
  PodPending: 'The pod of the task cannot start yet; the message says what it waits for.',
  DeadlineExceeded: 'The task took longer than it may.',
} as const;

export type ConditionReason = keyof typeof CONDITION_REASONS;
