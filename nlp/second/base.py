"""The base model's file: an ONNX graph whose initializers carry the Hugging Face names.

In:  bge-small-zh-v1.5.onnx or another BERT exported the same way.
Out: named arrays, linear weights as (out, in); and the same graph with other weights in it.
The constant inputs of `MatMul` nodes are the linear weights, transposed; a node's name tells whose.
Writing trained weights back into the graph needs no exporter and changes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError

Array = NDArray[np.float32]
_LINEAR = re.compile(r"^/(encoder/layer\.\d+/.+)/MatMul$")


def read(path: Path) -> dict[str, Array]:
    """All weights of the graph by their Hugging Face names.

    Raises:
        ModelError: no graph of a BERT encoder.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    held = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    linear = _linear_names(model)
    arrays = {name: value for name, value in held.items() if name not in linear}
    arrays |= {name: held[key].T for key, name in linear.items()}
    if "embeddings.word_embeddings.weight" not in arrays:
        raise ModelError(f"{path}: no BERT encoder: no word embeddings; found {sorted(held)[:3]}")
    return {name: np.ascontiguousarray(value, np.float32) for name, value in arrays.items()}


def write(path: Path, arrays: Mapping[str, Array]) -> Any:
    """The graph of `path` with `arrays` as its weights."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    linear = _linear_names(model)
    for one in model.graph.initializer:
        name = linear.get(one.name, one.name)
        value = arrays[name].T if one.name in linear else arrays[name]
        one.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), one.name))
    return model


def _linear_names(model: Any) -> dict[str, str]:
    """Initializer → Hugging Face name, for weights that multiply from the right."""
    held = {one.name for one in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        match = _LINEAR.match(node.name)
        if node.op_type == "MatMul" and match and node.input[1] in held:
            found[node.input[1]] = match[1].replace("/", ".") + ".weight"
    return found
