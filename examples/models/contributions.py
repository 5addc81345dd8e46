"""
What LightGBM itself says each feature contributes to churn-risk-v6, to hold compare-contributions.ts against.

    python examples/models/contributions.py OUT.duckdb CONTRIBUTIONS [ROWS]

Trains the trees again, as train.py does, and writes their contributions (`predict(pred_contrib=True)`) to rows that
they were not trained on: width and rows as int32, the features as float32, the contributions and the expected margin
of each row as float64.
"""

import sys
from datetime import timedelta

import duckdb
import numpy as np

import churn_risk
import dataset


def main() -> None:
    path, out, *rest = sys.argv[1:]
    wanted = int(rest[0]) if rest else 50_000
    with duckdb.connect(path, read_only=True) as warehouse:
        as_of = dataset.as_of_day(warehouse)
        moments = [as_of - 3 * dataset.QUARTER + timedelta(weeks=weeks) for weeks in (0, 4, 8, 13)]
        rows = dataset.risk_rows(warehouse, moments)
        rows = rows.where(rows.columns["training"] & rows.columns["sampled"])
        later = dataset.risk_rows(warehouse, [as_of - dataset.QUARTER])
        later = later.where(~later.columns["training"])
    booster = churn_risk._boost(rows.features, rows.columns["cancelled"].astype(np.float64))
    features = np.ascontiguousarray(later.features[:wanted])
    contributions = booster.predict(features, pred_contrib=True)
    with open(out, "wb") as file:
        file.write(np.array([features.shape[1], features.shape[0]], dtype=np.int32).tobytes())
        file.write(features.tobytes())
        file.write(np.ascontiguousarray(contributions, dtype=np.float64).tobytes())


if __name__ == "__main__":
    main()
