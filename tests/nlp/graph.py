"""A one-layer graph with the names that an exported BERT has, built here: 64 wide, 20 tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH = 64
NODE = "/encoder/layer.0/output/dense/MatMul"
WEIGHT = "encoder.layer.0.output.dense.weight"
WORDS = "embeddings.word_embeddings.weight"


def build(path: Path, tokens: int = 20) -> dict[str, NDArray[np.float32]]:
    """Write the graph; gives its weights, the linear one as (out, in)."""
    random = np.random.default_rng(1)
    words, dense = (random.normal(size=(n, WIDTH)).astype(np.float32) for n in (tokens, WIDTH))
    nodes = [
        helper.make_node("Gather", [WORDS, "input_ids"], ["x"]),
        helper.make_node("MatMul", ["x", "onnx::MatMul_1"], ["last_hidden_state"], name=NODE),
    ]
    shape = ["batch_size", "sequence_length"]
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "base",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in inputs],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, WIDTH])],
        [numpy_helper.from_array(words, WORDS), numpy_helper.from_array(dense.T, "onnx::MatMul_1")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    onnx.save(model, str(path))
    return {WORDS: words, WEIGHT: dense}
