import type { StageReport } from '../../database/runs/runs.ts';
import type { StageResult } from './stage.ts';

/** What is recorded of a stage that is done, on a laptop and on a cluster alike. */
export function stageReport(
  name: string,
  milliseconds: number,
  { artifact, warnings: _apart, ...result }: StageResult,
): StageReport {
  const seconds = Math.round(milliseconds) / 1000;
  return {
    name,
    seconds,
    ...result,
    ...(artifact === undefined ? {} : { artifact: artifact.digest }),
  };
}
