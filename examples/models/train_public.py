"""
Trains the risk models of the examples on public data, and measures them on customers that they were not trained on.

    python examples/models/train_public.py --data FOLDER

FOLDER holds telco/, bank_churn/ and cell2cell/ with their CSV files, which are not part of the repository. Writes the
.onnx and .json of each model and FIGURES-public.md beside this file, and the new digest into the manifest. The same
files give the same bytes.
"""

import argparse
import re
from pathlib import Path

import lightgbm
import numpy as np
import onnx
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from churn_risk import isotonic_line
from figures import public_tables, write_figures
from graphs import calibrated_trees, logistic_line
from public_data import TASKS, PublicRows, Task, rows_of
from train import save, score

HERE = Path(__file__).parent
FILES = {
    "telco": "telco/WA_Fn-UseC_-Telco-Customer-Churn.csv",
    "bank": "bank_churn/Churn_Modelling.csv",
    "cell2cell": "cell2cell/cell2celltrain.csv",
}
TREES = {"bank": (110, 8, 40), "cell2cell": (160, 14, 200)}
FOLDS = 5
# Bins of the calibration, over all rows.
BINS = 40


def folds(labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(labels, labels))


def boost(name: str, features: np.ndarray, labels: np.ndarray) -> lightgbm.Booster:
    trees, leaves, least = TREES[name]
    parameters = {
        "objective": "binary", "learning_rate": 0.05, "num_leaves": leaves, "min_data_in_leaf": least, "lambda_l2": 5.0,
        "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 7, "verbose": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(features, labels), trees)


def trees(name: str, features: np.ndarray, labels: np.ndarray) -> onnx.ModelProto:
    """Boosted trees, calibrated by isotonic regression on scores of folds that a tree had not seen."""
    medians = np.nanmedian(features, axis=0)
    filled = np.where(np.isnan(features), medians, features)
    raw = np.zeros(labels.size)
    for seen, held in folds(labels):
        raw[held] = boost(name, filled[seen], labels[seen]).predict(filled[held], raw_score=True)
    knots, levels = isotonic_line(raw, labels, np.ones(labels.size, dtype=bool), BINS)
    return calibrated_trees(boost(name, filled, labels).dump_model()["tree_info"], medians, knots, levels)


def logistic(_name: str, features: np.ndarray, labels: np.ndarray) -> onnx.ModelProto:
    medians = np.nanmedian(features, axis=0)
    filled = np.where(np.isnan(features), medians, features).astype(np.float64)
    means, scales = filled.mean(axis=0), filled.std(axis=0)
    fitted = LogisticRegression(max_iter=2000).fit((filled - means) / scales, labels)
    return logistic_line(medians, means, scales, fitted.coef_[0], fitted.intercept_[0])


FITS = {"trees": trees, "logistic": logistic}


def out_of_fold(name: str, task: Task, rows: PublicRows) -> tuple[np.ndarray, list[float]]:
    """What models of four fifths, calibration included, say of the last fifth; and the AUC of each fifth."""
    said = np.zeros(rows.labels.size)
    areas = []
    for seen, held in folds(rows.labels):
        model = FITS[task.kind](name, rows.features[seen], rows.labels[seen])
        said[held] = score(model, rows.features[held])[:, 0]
        areas.append(roc_auc_score(rows.labels[held], said[held]))
    return said, areas


def pin(manifest: Path, model: str) -> None:
    """Writes the digest of the model's file into the manifest."""
    digest = re.search(r'"sha256": "([0-9a-f]{64})"', (HERE / f"{model}.json").read_text()).group(1)
    text = manifest.read_text()
    pinned = re.sub(rf'(- modelId: {model}\n.*\n\s+sha256: ")[0-9a-f]{{64}}', rf"\g<1>{digest}", text)
    manifest.write_text(pinned)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", type=Path, required=True)
    data = arguments.parse_args().data
    tables = []
    for name, task in TASKS.items():
        rows = rows_of(task, HERE.parent, data / FILES[name])
        said, areas = out_of_fold(name, task, rows)
        area, spread = float(np.mean(areas)), float(np.std(areas))
        print(f"{name}: out-of-fold AUC {area:.4f} ± {spread:.4f}, Brier {brier_score_loss(rows.labels, said):.4f}")
        save(FITS[task.kind](name, rows.features, rows.labels), {
            "modelId": rows.model,
            "role": "churn-risk",
            "sha256": "",
            "features": rows.names,
            "calibrated": True,
            "calibration": {"method": "isotonic" if task.kind == "trees" else "logistic", "rows": int(rows.labels.size)},
            "training": {"from": "unknown", "to": "unknown", "rows": int(rows.labels.size), "label": task.label},
            "figures": {
                "auc": round(area, 4),
                "aucSpread": round(spread, 4),
                "brier": round(float(brier_score_loss(rows.labels, said)), 4),
                "rowsTested": int(rows.labels.size),
            },
        })
        pin(HERE.parent / task.manifest, rows.model)
        tables += public_tables(name, rows.labels, said, areas)
    write_figures(HERE / "FIGURES-public.md", tables, "the models on public data", "train_public.py --data FOLDER")


if __name__ == "__main__":
    main()
