"""Trained weights → the model folder that ships: model.onnx (int8), tokenizer.json, config.json.

In:  the base's graph, named arrays with heads, the smaller tokenizer.
Out: a folder. Heads are added to the base's own graph, so nothing is traced or converted; weights of
matrix products become int8 with a scale a column, activations are scaled post by post while it runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.second import base
from nlp.second.reading import MAX_TOKENS

Array = NDArray[np.float32]
HIDDEN = "last_hidden_state"


def export(graph: Path, arrays: Mapping[str, Array], tokenizer: Any, out: Path) -> None:
    """Write the folder `out` of a classifier with `arrays`; int8."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        save(graph, arrays, whole)
        quantize_dynamic(
            whole, out / "model.onnx", weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
            op_types_to_quantize=["MatMul", "Gather"],
        )  # fmt: skip
    tokenizer.save(str(out / "tokenizer.json"))
    config = {"max_position_embeddings": MAX_TOKENS}
    (out / "config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")


def save(graph: Path, arrays: Mapping[str, Array], path: Path) -> None:
    """The classifier's graph in full precision."""
    import onnx

    model = base.write(graph, arrays)
    _add_heads(model.graph, arrays["heads.weight"], arrays["heads.bias"])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _add_heads(graph: Any, weight: Array, bias: Array) -> None:
    """[CLS] beside the mean of the tokens, times the heads: output `logits` (batch, outputs)."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "heads_first": np.array(0, np.int64),
        "heads_weight": np.ascontiguousarray(weight.T, np.float32),
        "heads_bias": np.asarray(bias, np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items())
    graph.node.extend([
        helper.make_node("Gather", [HIDDEN, "heads_first"], ["heads_cls"], axis=1),
        helper.make_node("Cast", ["attention_mask"], ["heads_here"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["heads_here"], ["heads_mask"], axes=[2]),
        helper.make_node("Mul", [HIDDEN, "heads_mask"], ["heads_seen"]),
        helper.make_node("ReduceSum", ["heads_seen"], ["heads_sum"], axes=[1], keepdims=0),
        helper.make_node("ReduceSum", ["heads_here"], ["heads_count"], axes=[1], keepdims=1),
        helper.make_node("Div", ["heads_sum", "heads_count"], ["heads_mean"]),
        helper.make_node("Concat", ["heads_cls", "heads_mean"], ["heads_pooled"], axis=1),
        helper.make_node("MatMul", ["heads_pooled", "heads_weight"], ["heads_product"]),
        helper.make_node("Add", ["heads_product", "heads_bias"], ["logits"]),
    ])  # fmt: skip
    del graph.output[:]
    shape = ["batch_size", int(weight.shape[0])]
    graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape))
