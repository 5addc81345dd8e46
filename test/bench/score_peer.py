"""
The peer of score.ts.

    score_peer.py train FOLDER                      makes model.onnx: 100 trees of 31 leaves over 20 features
    score_peer.py score FOLDER THREADS              scores rows.f32 with ONNX Runtime, writes scores.f32, prints the seconds
"""

import sys
import time
from pathlib import Path

import numpy as np

FEATURES = 20


def train(folder: Path) -> None:
    import lightgbm

    sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "models"))
    import graphs

    random = np.random.default_rng(1)
    rows = random.random((100_000, FEATURES))
    chance = 1 / (1 + np.exp(-8 * (rows[:, :5].mean(axis=1) - 0.5) - np.sin(9 * rows[:, 5])))
    label = random.random(len(rows)) < chance
    settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 2, "seed": 1, "deterministic": True}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, label), num_boost_round=100)
    trees = booster.dump_model()["tree_info"]
    model = graphs.calibrated_trees(trees, np.full(FEATURES, 0.5), np.array([-8.0, 8.0]), np.array([0.0, 1.0]))
    (folder / "model.onnx").write_bytes(model.SerializeToString())


def score(folder: Path, threads: int) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    rows = np.fromfile(folder / "rows.f32", dtype=np.float32).reshape(-1, FEATURES)
    session.run(["risk"], {"features": rows[:1000]})
    began = time.perf_counter()
    scores = session.run(["risk"], {"features": rows})[0]
    print(time.perf_counter() - began)
    scores.astype(np.float32).tofile(folder / "scores.f32")


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(Path(sys.argv[2]))
    else:
        score(Path(sys.argv[2]), int(sys.argv[3]))
