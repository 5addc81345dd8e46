"""The measured figures as Markdown."""

from datetime import date
from pathlib import Path

import numpy as np

from dataset import KINDS, Rows


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    lines = [head, ["-" * width for width in widths], *rows]
    aligned = (" | ".join(cell.ljust(width) for cell, width in zip(line, widths)) for line in lines)
    return "\n".join([f"## {title}", "", *(f"| {line} |" for line in aligned)])


def auc_table(aucs: dict[str, tuple[float, float]], passing: int, everyone: int, at: date) -> str:
    return _table(
        f"AUC at {at}, on customers who were not trained on",
        ["score", f"those who pass every filter ({passing:,})", f"all who had no offer ({everyone:,})"],
        [[name, f"{a:.3f}", f"{b:.3f}"] for name, (a, b) in aucs.items()],
    )


def reliability_table(risk: np.ndarray, label: np.ndarray, truth: np.ndarray) -> str:
    edges = [0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0001]
    rows = []
    for low, high in zip(edges, edges[1:]):
        chosen = (risk >= low) & (risk < high)
        count = int(chosen.sum())
        if count == 0:
            continue
        rate = label[chosen].mean()
        error = np.sqrt(max(rate * (1 - rate), 1e-9) / count)
        rows.append([
            f"{low:.1f}–{min(high, 1.0):.1f}", f"{count:,}", f"{risk[chosen].mean():.3f}",
            f"{rate:.3f} ± {1.96 * error:.3f}", f"{truth[chosen].mean():.3f}",
        ])
    return _table(
        "Reliability of churn-risk-v6, on those who pass every filter",
        ["risk said", "customers", "mean said", "cancelled within 90 days", "true probability"],
        rows,
    )


def levels_table(risks: np.ndarray, slot: Rows) -> str:
    truth = slot.columns["cancellation_probability"].astype(np.float64)
    future = slot.columns["cancels_untreated"].astype(np.float64)
    rows = []
    for name, low, high in [("critical", 0.8, 1.1), ("high", 0.6, 0.8), ("medium", 0.4, 0.6), ("below", -1.0, 0.4)]:
        chosen = (risks >= low) & (risks < high)
        if chosen.any():
            rows.append([
                name, f"{chosen.sum():,}", f"{100 * chosen.mean():.1f} %", f"{risks[chosen].mean():.3f}",
                f"{future[chosen].mean():.3f}", f"{truth[chosen].mean():.3f}",
            ])
    return _table(
        "Risk levels at the as-of day, of those who pass every filter",
        ["level", "customers", "share", "mean said", "cancel within 90 days without an offer", "true probability"],
        rows,
    )


def policy_table(values: dict[str, tuple[float, float]], random: float, tested: int) -> str:
    rows = [[name, f"{value:.3f} ± {1.96 * error:.3f}"] for name, (value, error) in values.items()]
    rows.insert(1, ["a random kind", f"{random:.3f}"])
    return _table(
        f"Still customers after twelve weeks, by who gets what (inverse propensity, {tested:,} offers not trained on)",
        ["policy", "retained"],
        rows,
    )


def kinds_table(effects: np.ndarray, slot: Rows) -> str:
    chosen = effects.argmax(axis=1)
    saved = 1.0 - np.column_stack([slot.columns[f"cancels_with_{kind}"].astype(np.float64) for kind in KINDS])
    true = np.column_stack([slot.columns[f"{kind}_effect"].astype(np.float64) for kind in KINDS])
    everyone = np.arange(chosen.size)
    rows = [
        [kind, f"{(chosen == n).sum():,}", f"{100 * (chosen == n).mean():.1f} %", f"{saved[:, n].mean():.3f}"]
        for n, kind in enumerate(KINDS)
    ]
    rows += [
        ["as recommended", f"{chosen.size:,}", "", f"{saved[everyone, chosen].mean():.3f}"],
        ["a random kind", f"{chosen.size:,}", "", f"{saved.mean():.3f}"],
        ["the truly best kind", f"{chosen.size:,}", "", f"{saved[everyone, true.argmax(axis=1)].mean():.3f}"],
        ["no offer", f"{chosen.size:,}", "", f"{1.0 - slot.columns['cancels_untreated'].astype(np.float64).mean():.3f}"],
    ]
    return _table(
        "Offers at the as-of day, of those with a risk of 0.4 or more: what the generator says will happen",
        ["kind", "recommended for", "share", "stay if all get it"],
        rows,
    )


def public_tables(name: str, labels: np.ndarray, said: np.ndarray, areas: list[float]) -> list[str]:
    """What was said of customers that were not trained on, and what they did, in tenths of all customers."""
    areas_text = f"AUC {np.mean(areas):.3f} ± {np.std(areas):.3f} (mean and spread of five folds)"
    rows = []
    for part in np.array_split(np.argsort(said, kind="stable"), 10):
        rate = labels[part].mean()
        error = np.sqrt(max(rate * (1 - rate), 1e-9) / part.size)
        rows.append([
            f"{said[part].min():.3f}–{said[part].max():.3f}", f"{part.size:,}", f"{said[part].mean():.3f}",
            f"{rate:.3f} ± {1.96 * error:.3f}",
        ])
    return [_table(f"{name}: {areas_text}", ["risk said", "customers", "mean said", "left"], rows)]


def write_figures(path: Path, tables: list[str], what: str = "the example models", script: str = "train.py") -> None:
    head = f"# Figures of {what}\n\n<!-- DO NOT EDIT: written by examples/models/{script}. -->\n"
    path.write_text("\n\n".join([head.rstrip("\n"), *tables]) + "\n")
