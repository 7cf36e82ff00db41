"""What runs a sequence classifier's weights: onnxruntime, or torch for safetensors.

In:  a model folder; token arrays of one text. Out: its logits.
ONNX comes first; safetensors need the extra `torch`. Weights that are pickles (.bin, .pt) are refused:
reading one can run whatever its author put there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError

Feed = Mapping[str, NDArray[np.int64]]
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


class Runtime(Protocol):
    """Weights that can be run; `inputs` names the arrays that `logits` reads."""

    inputs: tuple[str, ...]
    digest: str

    def logits(self, feed: Feed) -> NDArray[np.float64]:
        """Logits of one text (classes,).

        Raises:
            RuntimeError, ValueError, IndexError: the weights refuse it.
        """


class Onnx:
    """model.onnx on one thread."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        self.inputs = tuple(value.name for value in self._session.get_inputs())
        self.digest = digest(path)

    def logits(self, feed: Feed) -> NDArray[np.float64]:
        """Logits of one text."""
        answer: NDArray[np.float64] = np.asarray(self._session.run(None, dict(feed))[0], float)[0]
        return answer


class Torch:
    """model.safetensors by transformers; never looks at the hub, never runs code of the folder."""

    inputs: tuple[str, ...] = ("input_ids", "attention_mask", "token_type_ids")

    def __init__(self, folder: Path) -> None:
        try:
            import torch
            from transformers import AutoModelForSequenceClassification
        except ImportError as error:
            raise ModelError(
                f"{folder}: model.safetensors needs torch ({error}): pip install 'keqing[torch]', "
                "or export the model to model.onnx"
            ) from error
        self._torch = torch
        try:
            self._model = AutoModelForSequenceClassification.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False
            ).eval()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"{folder}: transformers cannot load it: {error}") from error
        self.digest = digest(folder / "model.safetensors")

    def logits(self, feed: Feed) -> NDArray[np.float64]:
        """Logits of one text."""
        torch = self._torch
        with torch.inference_mode():
            answer = self._model(**{name: torch.from_numpy(array) for name, array in feed.items()})
        return np.asarray(answer.logits[0].double().numpy(), np.float64)


def open_runtime(folder: Path) -> Runtime:
    """What runs the weights of `folder`.

    Raises:
        ModelError: no weights that can be run, or only pickles.
    """
    if (folder / "model.onnx").is_file():
        return Onnx(folder / "model.onnx")
    if (folder / "model.safetensors").is_file():
        return Torch(folder)
    pickles = [path.name for kind in PICKLES for path in folder.glob(kind)]
    if pickles:
        raise ModelError(
            f"{folder}: {', '.join(pickles)} are pickles and are not read; save the model as "
            "safetensors or export it to model.onnx"
        )
    raise ModelError(
        f"{folder}: model.onnx missing, and no model.safetensors; export the model to ONNX into this "
        'folder, or set [nlp.second_stage] model = "off"'
    )


def open_session(path: Path) -> Any:
    """An onnxruntime session on one thread.

    Raises:
        ModelError: the file cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base but Exception
        raise ModelError(f"{path}: onnxruntime cannot load it: {error}") from error


def digest(path: Path) -> str:
    """First 12 hex digits of a file's sha256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
