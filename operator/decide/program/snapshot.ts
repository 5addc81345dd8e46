import type { Pipelines } from '../../../contract/pipelines.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { ProgramObject, RunObject, StoredMetadata } from '../../kube/objects.ts';
import type { StageSettings } from '../../settings/settings.ts';
import type { Attempts } from '../action.ts';

/** All that is known about a program when it is looked at. */
export interface ProgramSnapshot {
  readonly program: ProgramObject;
  /** Of the runs that name the program those that anything is decided on; also others. */
  readonly runs: readonly RunObject[];
  /** Names of revisions that any run is pinned to. */
  readonly pinned: ReadonlySet<string>;
  /** Revisions that the program owns. */
  readonly revisions: readonly (KubeObject & { readonly metadata: StoredMetadata })[];
  /** Older programs of the namespace with the same programId. */
  readonly twins: readonly ProgramObject[];
  readonly attempts: Attempts;
  readonly settings: StageSettings;
  /** What is known of ways to run a program. */
  readonly pipelines: Pipelines;
}
