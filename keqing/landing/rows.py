"""A row of a landed file, and the hashes that prove it.

In:  Posts, lines of a file. Out: lines with leaf = sha256(salt ‖ canonical post), the root over leaves.
The salt keeps an erased post from being guessed by its hash.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Any

from keqing.errors import LandingError
from keqing.records import Post


def line(n: int, post: Post) -> bytes:
    """Row `n` of a file.

    Raises:
        LandingError: an author id that is no pseudonym.
    """
    author = post.author.id
    if author is not None and ":" not in author:
        raise LandingError(f"{post.id}: author id is no pseudonym; use privacy.pseudonym")
    body, salt = post.model_dump(mode="json"), secrets.token_hex(16)
    return canonical({"n": n, "leaf": leaf(salt, body), "salt": salt, "post": body}) + b"\n"


def row_of(said: bytes) -> dict[str, Any] | None:
    """A row of a line; None for a damaged one."""
    try:
        row = json.loads(said)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def post_of(file: str, row: dict[str, Any]) -> Post:
    """The Post of a row.

    Raises:
        LandingError: it is none; names file and row.
    """
    try:
        return Post.model_validate(row["post"])
    except ValueError as error:
        raise LandingError(f"{file}: row {row.get('n')} is no post; run keqing verify") from error


def leaf(salt: str, post: object) -> str:
    """What proves a post without its words."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(post)).hexdigest()


def root(rows: Sequence[dict[str, Any]]) -> str:
    """One hash over the leaves of a file."""
    return hashlib.sha256("".join(str(row["leaf"]) for row in rows).encode()).hexdigest()


def canonical(value: object) -> bytes:
    """The one way to write a value that is hashed."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
