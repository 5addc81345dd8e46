"""
Trains the two example models on a sample warehouse, and measures them on a later T and other customers.

    python examples/models/train.py OUT.duckdb

Writes churn-risk-v6 and offer-effectiveness-v2 (.onnx and .json) and FIGURES.md beside this file. The same warehouse
gives the same bytes.
"""

import hashlib
import json
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import onnx
import onnxruntime
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import churn_risk
import dataset
import offer_effectiveness
from figures import auc_table, kinds_table, levels_table, policy_table, reliability_table, write_figures

HERE = Path(__file__).parent


def save(model: onnx.ModelProto, manifest: dict) -> None:
    content = model.SerializeToString(deterministic=True)
    (HERE / f"{manifest['modelId']}.onnx").write_bytes(content)
    complete = {**manifest, "sha256": hashlib.sha256(content).hexdigest()}
    (HERE / f"{manifest['modelId']}.json").write_text(_formatted(complete))


def _formatted(manifest: dict) -> str:
    """JSON as the repository's formatter leaves it: a list on one line if the line has at most 120 characters."""
    lines = []
    for key, value in manifest.items():
        short = f'  "{key}": {json.dumps(value)}'
        one_line = not isinstance(value, dict) and len(short) < 120
        indented = json.dumps(value, indent=2).replace("\n", "\n  ")
        lines.append(short if one_line else f'  "{key}": {indented}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def score(model: onnx.ModelProto, features: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": features})[0]


def churn_risk_model(warehouse: duckdb.DuckDBPyConnection, as_of: date) -> tuple[onnx.ModelProto, list[str]]:
    quarter = dataset.QUARTER
    moments = [as_of - 3 * quarter + timedelta(weeks=weeks) for weeks in (0, 4, 8, 13)]
    rows = dataset.risk_rows(warehouse, moments)
    rows = rows.where(rows.columns["training"] & rows.columns["sampled"])
    model, calibrated_by = churn_risk.train(rows, rows.columns["valuable"] & rows.columns["signals"])

    later = dataset.risk_rows(warehouse, [as_of - quarter])
    later = later.where(~later.columns["training"])
    passing = later.columns["valuable"] & later.columns["signals"] & later.columns["not_capped"]
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
        rows.features, rows.columns["cancelled"]
    )
    scores = {
        "oracle (the generator's own hazard)": later.columns["truth"].astype(np.float64),
        "churn-risk-v6": score(model, later.features)[:, 0],
        "logistic regression, same features": logistic.predict_proba(later.features)[:, 1],
        "recency alone (days since last login)": later.columns["days_since_last_login"].astype(np.float64),
        "recency alone (days since last purchase)": later.columns["days_since_last_purchase"].astype(np.float64),
    }
    label = later.columns["cancelled"]
    risk = scores["churn-risk-v6"]
    aucs = {
        name: (roc_auc_score(label[passing], s[passing]), roc_auc_score(label, s)) for name, s in scores.items()
    }
    names = list(aucs)
    save(model, {
        "modelId": "churn-risk-v6",
        "role": "churn-risk",
        "sha256": "",
        "features": dataset.RISK_FEATURES,
        "calibrated": True,
        "calibration": {"method": "isotonic", "rows": calibrated_by},
        "training": {
            "from": str(moments[0]),
            "to": str(moments[-1] + timedelta(days=dataset.LABEL_DAYS)),
            "rows": int(rows.customers.size),
            "label": "cancellation event within 90 days, no offer",
        },
        "typical": [round(float(median), 6) for median in np.median(rows.features, axis=0)],
        "figures": {
            "auc": round(aucs["churn-risk-v6"][0], 4),
            "aucOracle": round(aucs[names[0]][0], 4),
            "aucLogistic": round(aucs[names[2]][0], 4),
            "aucRecency": round(max(aucs[names[3]][0], aucs[names[4]][0]), 4),
            "aucAllCustomers": round(aucs["churn-risk-v6"][1], 4),
            "brier": round(float(np.mean((risk[passing] - label[passing]) ** 2)), 4),
            "rowsTested": int(passing.sum()),
        },
    })
    figures = [
        auc_table(aucs, int(passing.sum()), int(label.size), as_of - quarter),
        reliability_table(risk[passing], label[passing], later.columns["truth"][passing].astype(np.float64)),
    ]
    return model, figures


def offer_model(warehouse: duckdb.DuckDBPyConnection, as_of: date) -> tuple[onnx.ModelProto, list[str]]:
    # An offer is followed for twelve weeks, which end before the as-of day.
    moments = [as_of - timedelta(weeks=weeks) for weeks in range(39, 13, -1)]
    rows = dataset.offer_rows(warehouse, moments)
    tested = rows.where(~rows.columns["training"])
    rows = rows.where(rows.columns["training"])
    model = offer_effectiveness.train(rows)
    effects = score(model, tested.features)
    chosen = effects.argmax(axis=1)
    policies = {
        "the kind that the model recommends": chosen,
        **{f"{kind} for everyone": np.full(chosen.size, n) for n, kind in enumerate([*dataset.KINDS, "none"])},
    }
    values = {name: offer_effectiveness.value_of(choice, tested) for name, choice in policies.items()}
    recommended, _ = values["the kind that the model recommends"]
    random = float(np.mean([values[f"{kind} for everyone"][0] for kind in dataset.KINDS]))
    save(model, {
        "modelId": "offer-effectiveness-v2",
        "role": "offer-effectiveness",
        "sha256": "",
        "features": dataset.OFFER_FEATURES,
        "calibrated": False,
        "kinds": dataset.KINDS,
        "training": {
            "from": str(moments[0]),
            "to": str(as_of),
            "rows": int(rows.customers.size),
            "label": "still a customer twelve weeks after a randomised offer",
        },
        "figures": {
            "retainedRecommended": round(recommended, 4),
            "retainedRandomKind": round(random, 4),
            "retainedNoOffer": round(values["none for everyone"][0], 4),
            "rowsTested": int(tested.customers.size),
        },
    })
    return model, [policy_table(values, random, int(tested.customers.size))]


def main() -> None:
    (path,) = sys.argv[1:]
    with duckdb.connect(path, read_only=True) as warehouse:
        as_of = dataset.as_of_day(warehouse)
        risk, risk_figures = churn_risk_model(warehouse, as_of)
        offer, offer_figures = offer_model(warehouse, as_of)
        slot = dataset.slot_rows(warehouse)
        width = len(dataset.RISK_FEATURES)
        risks = score(risk, np.ascontiguousarray(slot.features[:, :width]))[:, 0]
        effects = score(offer, np.ascontiguousarray(slot.features[:, width:]))
        stored = risks >= 0.4
        write_figures(
            HERE / "FIGURES.md",
            [*risk_figures, levels_table(risks, slot), *offer_figures, kinds_table(effects[stored], slot.where(stored))],
        )


if __name__ == "__main__":
    main()
