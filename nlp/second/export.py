"""Trained weights → the folders that ship: model.onnx (int8), tokenizer.json, config.json.

In:  the base's graph, named arrays (with heads for the classifier), the smaller tokenizer.
Out: a folder. Outputs are added to the base's own graph, so nothing is traced or converted; weights of
matrix products become int8 (7 bits in use, so that processors without VNNI add them up unsaturated)
with a scale a column, activations are scaled post by post while it runs.
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

Array = NDArray[np.float32]
HIDDEN = "last_hidden_state"


def quantise(model: Any, tokenizer: Any, out: Path, tokens: int) -> None:
    """Write the folder `out` with `model` in int8, reading at most `tokens` tokens."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        onnx.save(model, str(whole))
        quantize_dynamic(
            whole, out / "model.onnx", weight_type=QuantType.QInt8, per_channel=True,
            reduce_range=True, op_types_to_quantize=["MatMul", "Gather"],
        )  # fmt: skip
    tokenizer.save(str(out / "tokenizer.json"))
    config = {"max_position_embeddings": tokens}
    (out / "config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")


def classifier(graph: Path, arrays: Mapping[str, Array]) -> Any:
    """The graph with heads: output `logits` (batch, outputs): what is pooled, times `heads.weight`, plus `heads.bias`."""
    from onnx import helper

    model = base.write(graph, arrays)
    weight, bias = arrays["heads.weight"], arrays["heads.bias"]
    _pool(model.graph, "heads_pooled")
    _constants(model.graph, heads_weight=np.ascontiguousarray(weight.T, np.float32),
               heads_bias=np.asarray(bias, np.float32))  # fmt: skip
    model.graph.node.extend([
        helper.make_node("MatMul", ["heads_pooled", "heads_weight"], ["heads_product"]),
        helper.make_node("Add", ["heads_product", "heads_bias"], ["logits"]),
    ])  # fmt: skip
    return _checked(model, "logits", int(weight.shape[0]))


def pooler(graph: Path, arrays: Mapping[str, Array]) -> Any:
    """The graph with output `vector` (batch, 2 × width): [CLS] beside the mean of the tokens."""
    model = base.write(graph, arrays)
    _pool(model.graph, "vector")
    return _checked(model, "vector", 2 * arrays["embeddings.word_embeddings.weight"].shape[1])


def _pool(graph: Any, name: str) -> None:
    """Nodes that put [CLS] beside the mean of the tokens that stand there."""
    from onnx import TensorProto, helper

    _constants(graph, heads_first=np.array(0, np.int64))
    graph.node.extend([
        helper.make_node("Gather", [HIDDEN, "heads_first"], ["heads_cls"], axis=1),
        helper.make_node("Cast", ["attention_mask"], ["heads_here"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["heads_here"], ["heads_mask"], axes=[2]),
        helper.make_node("Mul", [HIDDEN, "heads_mask"], ["heads_seen"]),
        helper.make_node("ReduceSum", ["heads_seen"], ["heads_sum"], axes=[1], keepdims=0),
        helper.make_node("ReduceSum", ["heads_here"], ["heads_count"], axes=[1], keepdims=1),
        helper.make_node("Div", ["heads_sum", "heads_count"], ["heads_mean"]),
        helper.make_node("Concat", ["heads_cls", "heads_mean"], [name], axis=1),
    ])  # fmt: skip


def embedder(graph: Path, arrays: Mapping[str, Array]) -> Any:
    """The graph with its [CLS] made a unit vector: output `vector` (batch, width)."""
    from onnx import helper

    model = base.write(graph, arrays)
    _constants(model.graph, vector_first=np.array(0, np.int64))
    model.graph.node.extend([
        helper.make_node("Gather", [HIDDEN, "vector_first"], ["vector_cls"], axis=1),
        helper.make_node("LpNormalization", ["vector_cls"], ["vector"], axis=1, p=2),
    ])  # fmt: skip
    return _checked(model, "vector", arrays["embeddings.word_embeddings.weight"].shape[1])


def _constants(graph: Any, **values: NDArray[Any]) -> None:
    from onnx import numpy_helper

    graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in values.items())


def _checked(model: Any, output: str, width: int) -> Any:
    import onnx
    from onnx import TensorProto, helper

    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch_size", width])
    )
    onnx.checker.check_model(model)
    return model
