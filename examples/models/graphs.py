"""ONNX graphs, made by hand so that the same numbers give the same bytes."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]


def _constant(name: str, values: np.ndarray) -> TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(values), name)


def _fill_missing(medians: np.ndarray) -> tuple[list, list]:
    """A missing feature takes the median of the training rows."""
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "medians", "features"], ["filled"]),
    ]
    return nodes, [_constant("medians", medians.astype(np.float32).reshape(1, -1))]


def _model(nodes: list, constants: list, width: int, output: str, outputs: int) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        output,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", outputs])],
        initializer=constants,
    )
    model = helper.make_model(graph, opset_imports=OPSETS, producer_name="holdfast-examples", ir_version=8)
    onnx.checker.check_model(model)
    return model


def _at_most(threshold: float) -> float:
    """The largest float32 not above a threshold: for float32 features both split the same."""
    rounded = np.float32(threshold)
    return float(rounded if float(rounded) <= threshold else np.nextafter(rounded, np.float32(-np.inf)))


def _tree_attributes(trees: list[dict]) -> dict[str, list]:
    """The trees of LightGBM's dump as the parallel lists of TreeEnsembleRegressor."""
    lists: dict[str, list] = {
        name: []
        for name in (
            "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_values", "nodes_truenodeids",
            "nodes_falsenodeids", "nodes_hitrates", "target_treeids", "target_nodeids", "target_ids",
            "target_weights",
        )
    }

    def visit(tree: int, node: dict, next_id: list[int]) -> int:
        here = next_id[0]
        next_id[0] += 1
        place = len(lists["nodes_treeids"])
        leaf = "leaf_value" in node
        lists["nodes_treeids"].append(tree)
        lists["nodes_nodeids"].append(here)
        lists["nodes_featureids"].append(0 if leaf else node["split_feature"])
        lists["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
        lists["nodes_values"].append(0.0 if leaf else _at_most(node["threshold"]))
        lists["nodes_truenodeids"].append(0)
        lists["nodes_falsenodeids"].append(0)
        # Rows of the training that came to a node: no prediction needs them, but exact contributions do.
        lists["nodes_hitrates"].append(float(node["leaf_count" if leaf else "internal_count"]))
        if leaf:
            lists["target_treeids"].append(tree)
            lists["target_nodeids"].append(here)
            lists["target_ids"].append(0)
            lists["target_weights"].append(float(np.float32(node["leaf_value"])))
        else:
            lists["nodes_truenodeids"][place] = visit(tree, node["left_child"], next_id)
            lists["nodes_falsenodeids"][place] = visit(tree, node["right_child"], next_id)
        return here

    for index, tree in enumerate(trees):
        visit(index, tree["tree_structure"], [0])
    return lists


def calibrated_trees(trees: list[dict], medians: np.ndarray, knots: np.ndarray, levels: np.ndarray) -> onnx.ModelProto:
    """
    Trees, then the isotonic calibration as the piecewise linear line through (knots, levels), flat outside:
    level₀ + Σ slopeₖ · (clip(raw, knotₖ, knotₖ₊₁) − knotₖ).
    """
    fill, constants = _fill_missing(medians)
    low, high = knots[:-1].astype(np.float32), knots[1:].astype(np.float32)
    slopes = np.diff(levels) / (high.astype(np.float64) - low.astype(np.float64))
    nodes = [
        *fill,
        helper.make_node(
            "TreeEnsembleRegressor", ["filled"], ["raw"], domain="ai.onnx.ml", n_targets=1, **_tree_attributes(trees)
        ),
        helper.make_node("Max", ["raw", "low"], ["above"]),
        helper.make_node("Min", ["above", "high"], ["within"]),
        helper.make_node("Sub", ["within", "low"], ["climbed"]),
        helper.make_node("MatMul", ["climbed", "slopes"], ["rise"]),
        helper.make_node("Add", ["rise", "level"], ["calibrated"]),
        helper.make_node("Clip", ["calibrated", "zero", "one"], ["risk"]),
    ]
    constants += [
        _constant("low", low.reshape(1, -1)),
        _constant("high", high.reshape(1, -1)),
        _constant("slopes", slopes.astype(np.float32).reshape(-1, 1)),
        _constant("level", np.array([levels[0]], dtype=np.float32)),
        _constant("zero", np.array(0.0, dtype=np.float32)),
        _constant("one", np.array(1.0, dtype=np.float32)),
    ]
    return _model(nodes, constants, medians.size, "risk", 1)


def logistic_line(medians, means, scales, weights, intercept) -> onnx.ModelProto:
    """Features standardised, times weights, plus the intercept, through the logistic function."""
    fill, constants = _fill_missing(medians)
    nodes = [
        *fill,
        helper.make_node("Sub", ["filled", "means"], ["centred"]),
        helper.make_node("Div", ["centred", "scales"], ["standard"]),
        helper.make_node("MatMul", ["standard", "weights"], ["product"]),
        helper.make_node("Add", ["product", "intercept"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["risk"]),
    ]
    constants += [
        _constant("means", np.asarray(means, dtype=np.float32).reshape(1, -1)),
        _constant("scales", np.asarray(scales, dtype=np.float32).reshape(1, -1)),
        _constant("weights", np.asarray(weights, dtype=np.float32).reshape(-1, 1)),
        _constant("intercept", np.array([intercept], dtype=np.float32)),
    ]
    return _model(nodes, constants, medians.size, "risk", 1)


def linear_effects(medians, means, scales, low, high, weights, intercepts) -> onnx.ModelProto:
    """Features clipped to the range of training and standardised, times weights, plus intercepts."""
    fill, constants = _fill_missing(medians)
    nodes = [
        *fill,
        helper.make_node("Max", ["filled", "low"], ["not_below"]),
        helper.make_node("Min", ["not_below", "high"], ["clipped"]),
        helper.make_node("Sub", ["clipped", "means"], ["centred"]),
        helper.make_node("Div", ["centred", "scales"], ["standard"]),
        helper.make_node("MatMul", ["standard", "weights"], ["product"]),
        helper.make_node("Add", ["product", "intercepts"], ["effect"]),
    ]
    row = {"low": low, "high": high, "means": means, "scales": scales, "intercepts": intercepts}
    constants += [_constant(name, np.asarray(values, dtype=np.float32).reshape(1, -1)) for name, values in row.items()]
    constants.append(_constant("weights", weights.astype(np.float32)))
    return _model(nodes, constants, medians.size, "effect", weights.shape[1])
