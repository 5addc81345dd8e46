import { auc } from '../../../base/math/auc.ts';
import { type Reliability, reliability } from '../../../base/math/reliability.ts';
import type { NumberColumns } from '../../../customers/training/training-rows.ts';
import { type LogisticModel, predict } from '../../../providers/models/onnx/logistic-model.ts';
import { RECENCY } from './query-as-of.ts';

/** How well a model of an earlier cut predicted who would come back after a later one. */
export interface Later {
  readonly rows: number;
  readonly auc: number;
  /** What the strongest rival without a model has: the days since the last purchase alone. */
  readonly recencyAuc: number;
  readonly reliability: Reliability;
  /** Whether its outputs were close enough to probabilities at the later time, too. */
  readonly calibrated: boolean;
}

const LARGEST_CALIBRATION_ERROR = 0.05;

/** Scores the customers of a later cut, whose columns are in the order of `names`. */
export function measureAtLater(
  model: LogisticModel,
  { names, columns, rows }: NumberColumns,
  labels: Uint8Array,
): Later {
  const places = model.features.map((name) => names.indexOf(name));
  const scores = Float64Array.from({ length: rows }, (_, row) =>
    predict(
      model,
      places.map((place) => columns[place]?.[row] as number),
    ),
  );
  const measured = reliability(scores, labels);
  return {
    rows,
    auc: auc(scores, labels),
    recencyAuc: auc(columns[names.indexOf(RECENCY)] as Float64Array, labels),
    reliability: measured,
    calibrated: measured.calibrationError <= LARGEST_CALIBRATION_ERROR,
  };
}

/** The same for the JSON beside a model. */
export function laterFigures({
  rows,
  auc: area,
  recencyAuc,
  reliability: { brier, calibrationError, baseRate },
}: Later) {
  return {
    outOfTimeAuc: area,
    outOfTimeBrier: brier,
    outOfTimeCalibrationError: calibrationError,
    outOfTimeBaseRate: baseRate,
    outOfTimeRows: rows,
    outOfTimeRecencyAuc: recencyAuc,
  };
}
