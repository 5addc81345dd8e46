"""offer-effectiveness-v2: what each kind of offer adds to the probability of staying, from randomised offers."""

import numpy as np
import onnx

from dataset import KINDS, Rows
from graphs import linear_effects

RIDGE = 50.0


def train(rows: Rows) -> onnx.ModelProto:
    """
    For each kind, a linear model of staying among those who drew it, minus one among those who drew none; each
    customer counts by the inverse of the logged propensity, so that every group stands for all.
    """
    low, high = np.quantile(rows.features, [0.01, 0.99], axis=0)
    clipped = np.clip(rows.features.astype(np.float64), low, high)
    means, scales = clipped.mean(axis=0), clipped.std(axis=0)
    standard = (clipped - means) / scales
    kind = rows.columns["kind_number"]
    weight = 1.0 / rows.columns["propensity"].astype(np.float64)
    retained = rows.columns["retained"].astype(np.float64)

    def line(chosen: np.ndarray) -> np.ndarray:
        design = np.column_stack([np.ones(chosen.sum()), standard[chosen]])
        weighted = design * weight[chosen][:, None]
        penalty = RIDGE * np.diag([0.0] + [1.0] * standard.shape[1])
        return np.linalg.solve(design.T @ weighted + penalty, weighted.T @ retained[chosen])

    nothing = line(kind == len(KINDS))
    lines = np.column_stack([line(kind == number) - nothing for number in range(len(KINDS))])
    return linear_effects(np.median(rows.features, axis=0), means, scales, low, high, lines[1:], lines[0])


def value_of(choice: np.ndarray, rows: Rows) -> tuple[float, float]:
    """Share retained if everyone got the kind chosen for them: self-normalised inverse propensity, with its standard error."""
    followed = rows.columns["kind_number"] == choice
    weight = followed / rows.columns["propensity"].astype(np.float64)
    retained = rows.columns["retained"].astype(np.float64)
    value = float((weight * retained).sum() / weight.sum())
    error = float(np.sqrt((weight**2 * (retained - value) ** 2).sum()) / weight.sum())
    return value, error
