import type { ModelManifest } from '../../providers/models/model.ts';
import type { Measured } from './measured.ts';

/** How good a model was when it was made, on rows that it had not seen. */
export interface TrainingFigures {
  readonly rows: number;
  readonly auc: number;
  readonly brier: number;
  readonly logLoss: number;
  readonly calibrationError: number;
  /** Share of those who left. */
  readonly baseRate: number;
}

/** What the JSON beside a model says of it, as `init` writes it; undefined where it does not. */
export function trainingFigures({ figures }: Pick<ModelManifest, 'figures'>): TrainingFigures | undefined {
  const { holdoutRows: rows, auc, brier, logLoss, calibrationError, baseRate } = figures;
  return [rows, auc, brier, logLoss, calibrationError, baseRate].every((figure) => Number.isFinite(figure))
    ? ({ rows, auc, brier, logLoss, calibrationError, baseRate } as TrainingFigures)
    : undefined;
}

/** How good the same training was at a later cut of transactions, without the log loss. */
export interface OutOfTimeFigures extends Omit<TrainingFigures, 'logLoss'> {
  /** Of the days since the last purchase alone. */
  readonly recencyAuc: number;
}

/** What the JSON beside a model of transactions says of it. */
export function outOfTimeFigures({ figures }: Pick<ModelManifest, 'figures'>): OutOfTimeFigures | undefined {
  const found = {
    rows: figures['outOfTimeRows'],
    auc: figures['outOfTimeAuc'],
    brier: figures['outOfTimeBrier'],
    calibrationError: figures['outOfTimeCalibrationError'],
    baseRate: figures['outOfTimeBaseRate'],
    recencyAuc: figures['outOfTimeRecencyAuc'],
  };
  return Object.values(found).every((figure) => Number.isFinite(figure)) ? (found as OutOfTimeFigures) : undefined;
}

/** Standard deviations beyond which a difference is no accident. */
const CHANCE_SIGMAS = 3;
/** Calibration error from which probabilities are not to be taken for such, as at training. */
const LARGEST_CALIBRATION_ERROR = 0.05;

/** What differs from the training by more than chance, and what to do about it; a sentence each. */
export function differences(
  { auc, rows, reliability }: Pick<Measured, 'auc' | 'rows' | 'reliability'>,
  training: Omit<TrainingFigures, 'logLoss'> | undefined,
  isCalibrated: boolean,
): string[] {
  if (training === undefined) return [];
  const said: string[] = [];
  const spread = Math.hypot(
    aucDeviation(auc, rows * reliability.baseRate, rows * (1 - reliability.baseRate)),
    aucDeviation(training.auc, training.rows * training.baseRate, training.rows * (1 - training.baseRate)),
  );
  if (training.auc - auc > CHANCE_SIGMAS * spread) {
    said.push(
      `the AUC fell from ${training.auc.toFixed(3)} to ${auc.toFixed(3)}, more than chance explains: train it anew on newer customers`,
    );
  }
  if (isCalibrated && reliability.calibrationError > LARGEST_CALIBRATION_ERROR) {
    said.push(
      `its calibration error is ${reliability.calibrationError.toFixed(3)}, in training ${training.calibrationError.toFixed(3)}: its scores are no probabilities any more`,
    );
  }
  return said;
}

/** Standard deviation of an area under the curve (Hanley and McNeil 1982). */
function aucDeviation(area: number, positives: number, negatives: number): number {
  const q1 = area / (2 - area);
  const q2 = (2 * area * area) / (1 + area);
  const variance = area * (1 - area) + (positives - 1) * (q1 - area * area) + (negatives - 1) * (q2 - area * area);
  return Math.sqrt(Math.max(0, variance) / (positives * negatives));
}
