import type { HoldfastError } from '../../base/errors.ts';
import type { StageReport } from '../../database/runs/runs.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { StageResult } from './stage.ts';

/** What is kept of a run while it goes on: on a laptop for all of its stages, in a pod for the one that is done there. */
export interface Recorder {
  /** What an earlier try recorded of the stage, if what it made is still there: then it is not done again. */
  earlier(stage: string): Promise<StageReport | undefined>;
  /** What a stage made that was not done here. */
  input(stage: string): Promise<ArtifactReference>;
  stage(report: StageReport, result: StageResult): Promise<void>;
  finish(): Promise<void>;
  /** Whether it can be recorded or not, the failure is what is to be told: this never rejects. */
  fail(failure: HoldfastError): Promise<void>;
}
