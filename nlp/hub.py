"""Where a model's folder comes from: a directory beside keqing.toml, or a pinned commit of a hub.

In:  the plan's `model`, the folder of keqing.toml. Out: a local folder.
`hub:<owner>/<name>@<commit>` is fetched once into the hub's cache, and only when the plan allows it:
a name without its commit may be another model tomorrow.
"""

from __future__ import annotations

import re
from pathlib import Path

from keqing.errors import BadConfig, ModelError

HUB = re.compile(r"hub:(?P<name>[\w.\-]+/[\w.\-]+)@(?P<commit>[0-9a-f]{40})")
WANTED = ["config.json", "tokenizer.json", "model.onnx", "onnx/model.onnx", "model.safetensors"]


def folder_of(model: str, root: Path, allow_download: bool) -> Path:
    """The folder that `model` names.

    Raises:
        BadConfig: a hub id without a commit, or not allowed.
        ModelError: the hub does not give it.
    """
    if not model.startswith("hub:"):
        return root / model
    match = HUB.fullmatch(model)
    if match is None:
        raise BadConfig(f'[nlp.second_stage] model = "{model}": write hub:<owner>/<name>@<commit>, '
                        "the commit in 40 hex digits")  # fmt: skip
    return _fetched(match["name"], match["commit"], allow_download)


def _fetched(name: str, commit: str, allow_download: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                name, revision=commit, allow_patterns=WANTED, local_files_only=not allow_download
            )
        )
    except LocalEntryNotFoundError as error:
        hint = "check the network" if allow_download else "set allow_download = true to fetch it"
        raise ModelError(f"hub:{name}@{commit}: not in the cache; {hint}") from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise ModelError(f"hub:{name}@{commit}: cannot be fetched: {error}") from error
