"""churn-risk-v6: gradient-boosted trees, calibrated by isotonic regression on rows that were not trained on."""

import lightgbm
import numpy as np
import onnx
from sklearn.isotonic import IsotonicRegression

from dataset import Rows
from graphs import calibrated_trees

PARAMETERS = {
    "objective": "binary", "learning_rate": 0.06, "num_leaves": 12, "min_data_in_leaf": 150, "lambda_l2": 5.0,
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 7, "verbose": -1,
}
TREES = 100
# Bins of the calibration: enough to bend, each with enough rows to be trusted.
BINS = 16


def _boost(features: np.ndarray, labels: np.ndarray) -> lightgbm.Booster:
    return lightgbm.train(PARAMETERS, lightgbm.Dataset(features, labels), TREES)


def train(rows: Rows, calibrate_on: np.ndarray) -> tuple[onnx.ModelProto, int]:
    """
    :param calibrate_on: which rows are like those that will be scored
    :returns: the model, and the number of rows that calibrated it
    """
    labels = rows.columns["cancelled"].astype(np.float64)
    folds = rows.columns["fold"]
    raw = np.zeros(labels.size)
    for number in range(5):
        held = folds == number
        raw[held] = _boost(rows.features[~held], labels[~held]).predict(rows.features[held], raw_score=True)
    knots, levels = isotonic_line(raw, labels, calibrate_on)
    trees = _boost(rows.features, labels).dump_model()["tree_info"]
    model = calibrated_trees(trees, np.median(rows.features, axis=0), knots, levels)
    return model, int(calibrate_on.sum())


def isotonic_line(
    raw: np.ndarray, labels: np.ndarray, main: np.ndarray, count: int = BINS
) -> tuple[np.ndarray, np.ndarray]:
    """
    Isotonic regression over quantile bins of the main rows and, below the lowest of them, of the others; its levels
    at the bins' mean scores.
    """
    bins = _quantile_bins(raw, np.flatnonzero(main), count)
    lowest = raw[bins[0]].mean()
    bins = _quantile_bins(raw, np.flatnonzero(~main & (raw < lowest - 0.5)), count) + bins
    bins = [rows for rows in bins if rows.size > 0]
    means = np.array([raw[b].mean() for b in bins])
    rates = np.array([labels[b].mean() for b in bins])
    levels = IsotonicRegression(y_min=0.0, y_max=1.0).fit(means, rates, [b.size for b in bins]).predict(means)
    return means, levels


def _quantile_bins(raw: np.ndarray, rows: np.ndarray, count: int) -> list[np.ndarray]:
    return np.array_split(rows[np.argsort(raw[rows], kind="stable")], count)
