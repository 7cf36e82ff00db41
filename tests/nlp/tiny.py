"""A tiny BERT-shaped classifier as ONNX, built here: embeddings, one attention layer, a head.

It knows three words: 差 is negative, 好 positive, 嗯 neutral; everything else weighs nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "差", "好", "嗯", "，", "店"]
KNOWN = {"negative": "差", "neutral": "嗯", "positive": "好"}
SIZE = 8


def build(folder: Path, labels: list[str], means: list[str]) -> Path:
    """Write config.json, tokenizer.json, model.onnx; `means` is the polarity of each output."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "bert",
        "max_position_embeddings": 32,
        "id2label": {str(n): label for n, label in enumerate(labels)},
    }
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    _tokenizer(folder / "tokenizer.json")
    onnx.save(_model(means), folder / "model.onnx")
    return folder


def _tokenizer(path: Path) -> None:
    ids = {word: n for n, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(path))


def _model(means: list[str]) -> onnx.ModelProto:
    embedding = np.zeros((len(VOCABULARY), SIZE), np.float32)
    head = np.zeros((SIZE, len(means)), np.float32)
    for axis, (polarity, word) in enumerate(KNOWN.items()):
        embedding[VOCABULARY.index(word), axis] = 1.0
        for column in [n for n, name in enumerate(means) if name == polarity]:
            head[axis, column] = 60.0
    query = np.zeros((SIZE, SIZE), np.float32)  # even attention: the mean of all tokens
    weights = {"embedding": embedding, "head": head, "query": query}
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["x"]),
        helper.make_node("MatMul", ["x", "query"], ["q"]),
        helper.make_node("Transpose", ["x"], ["xt"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "xt"], ["weight"]),
        helper.make_node("Softmax", ["weight"], ["share"], axis=-1),
        helper.make_node("MatMul", ["share", "x"], ["mixed"]),
        helper.make_node("ReduceMean", ["mixed"], ["pooled"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["pooled", "head"], ["logits"]),
    ]
    shape = ["batch", "tokens"]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(means)])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 10
    return model
