import type { StageReport } from '../../database/runs/runs.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { Recorder } from './recorder.ts';
import { type StageToRun, stageContext } from './run-context.ts';
import type { RunContext } from './stage.ts';
import { stageReport } from './stage-report.ts';

/** Whoever looks on while the stages are done. */
export interface Onlooker {
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
  step(stage: string): {
    advance(done: number, total?: number): void;
    done(rowsIn: number, rowsOut: number): void;
    failed(): void;
  };
}

/**
 * Does the stages one after the other, all of a pipeline on a laptop and one of them in a pod. Each is given the artifacts
 * that it reads, and no others.
 * @throws every code of the stages, and of the recorder
 */
export async function runStages<Spec>(
  run: RunContext<Spec>,
  stages: readonly StageToRun<Spec>[],
  recorder: Recorder,
  onlooker: Onlooker,
): Promise<StageReport[]> {
  const made = new Map<string, ArtifactReference>();
  const reports: StageReport[] = [];
  for (const stage of stages) {
    run.signal.throwIfAborted();
    reports.push((await recorder.earlier(stage.name)) ?? (await runStage(run, stage, made, recorder, onlooker)));
    if (stage.last) await recorder.finish();
  }
  return reports;
}

async function runStage<Spec>(
  run: RunContext<Spec>,
  stage: StageToRun<Spec>,
  made: Map<string, ArtifactReference>,
  recorder: Recorder,
  onlooker: Onlooker,
): Promise<StageReport> {
  const { name } = stage;
  const step = onlooker.step(name);
  const began = onlooker.elapsed();
  try {
    const input = async (earlier: string) => made.get(earlier) ?? (await recorder.input(earlier));
    const context = await stageContext(run, stage, input, (done, total) => step.advance(done, total));
    const work = await stage.load();
    const result = await work(context);
    if (result.artifact !== undefined) made.set(name, result.artifact);
    const report = stageReport(name, onlooker.elapsed() - began, result);
    step.done(result.rowsIn, result.rowsOut);
    await recorder.stage(report, result);
    return report;
  } catch (error) {
    step.failed();
    throw error;
  }
}
