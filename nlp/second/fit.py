"""The training program: base and rows in, one classifier out. Minutes on a GPU, hours on two cores.

    python -m nlp.second.fit --rows rows.npz --base base.npz --out DIR --work DIR

In:  rows.npz (rows.py), base.npz (named arrays of the pruned base, ids of its special tokens).
Out: DIR/student-*.npz (named arrays and heads), DIR/answers.npz (out-of-fold probabilities), a log.
Needs torch and numpy alone, so it runs on any machine that has them. One seed, one device: the same
weights up to the device's own rounding.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nlp.second.judge import judged
from nlp.second.network import Classifier, Encoder
from nlp.second.pretrain import pretrain
from nlp.second.teach import hard, out_of_fold, soft
from nlp.second.texts import Texts
from nlp.second.tune import Recipe, score, tune

Arrays = dict[str, NDArray[np.float32]]
PART = 15_000_000  # bytes of one file of weights: some places refuse larger ones
SEED = 7
log = logging.getLogger("fit")


def main() -> None:
    """Pretrain, teach by folds, train the students, average them."""
    asked = _arguments()
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", force=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    base = _pretrained(asked)
    if asked.pilot:
        return _pilot(asked, base)
    data = dict(np.load(asked.rows))
    answers = _run(
        asked, base, [("teacher", f, s) for s in range(asked.seeds) for f in range(asked.folds)]
    )
    done = [(f, a) for (_, f, _), (a, _) in answers if a is not None]
    targets, weights = soft(data["labels"], data["fold"] % asked.folds, done)
    np.savez(asked.work / "targets.npz", targets=targets, weights=weights)
    unseen = out_of_fold(data["fold"] % asked.folds, done)
    np.savez_compressed(asked.out / "answers.npz", unseen=unseen.astype(np.float16))
    students = _run(asked, base, [("student", -1, 100 + s) for s in range(asked.students)])
    made = [dict(np.load(path)) for _, (_, path) in students if path]
    _keep(asked, made)


def _arguments() -> argparse.Namespace:
    read = argparse.ArgumentParser()
    for name in ("rows", "base", "out", "work"):
        read.add_argument(f"--{name}", type=Path, required=True)
    for name, kind, value in (
        ("mask-seconds", float, 1e9), ("mask-epochs", float, 10.0), ("folds", int, 5),
        ("seeds", int, 1), ("students", int, 2), ("epochs", float, 3.0), ("student-epochs", float, 4.0),
        ("rate", float, 1e-4), ("tokens", int, 8192), ("adversarial", float, 0.0),
        ("agreement", float, 0.0), ("workers", int, 1), ("teacher-seconds", float, 1e9),
        ("student-seconds", float, 1e9),
    ):  # fmt: skip
        read.add_argument(f"--{name}", type=kind, default=value)
    read.add_argument("--pilot", type=Path, help="JSON list of recipes to compare on the dev rows")
    return read.parse_args()


def _pretrained(asked: argparse.Namespace) -> Path:
    """The base after masked-language training; made once for one folder of work."""
    asked.work.mkdir(parents=True, exist_ok=True)
    path: Path = asked.work / "pretrained.npz"
    if path.exists():
        return path
    with np.load(asked.base) as held:
        arrays = {name: held[name].astype(np.float32) for name in held.files if name != "special"}
        special = held["special"]
    data, device = np.load(asked.rows), _device()
    encoder = Encoder(arrays).to(device)
    texts = Texts(data["ids"], data["offsets"], device)
    if asked.mask_seconds > 0:
        rows = np.flatnonzero(data["dev"] == 0)
        pretrain(
            encoder, texts, rows, int(special[4]), 5, SEED, asked.mask_epochs, asked.mask_seconds
        )
    np.savez(asked.work / "raw.npz", allow_pickle=False, **arrays)
    np.savez(path, allow_pickle=False, **encoder.give())
    return path


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _run(asked: argparse.Namespace, base: Path, jobs: list[tuple[str, int, int]]):  # type: ignore[no-untyped-def]
    """Run jobs (kind, fold kept out, seed) side by side; (logits of all rows, file of weights) each."""
    work = partial(_one, asked, base)
    with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
        return list(zip(jobs, pool.map(work, jobs), strict=True))


def _one(
    asked: argparse.Namespace, base: Path, job: tuple[str, int, int]
) -> tuple[NDArray[np.float32] | None, Path | None]:
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", force=True)
    kind, kept, seed = job
    data = dict(np.load(asked.rows))
    texts = Texts(data["ids"], data["offsets"], _device())
    model = Classifier(Encoder(dict(np.load(base)))).to(texts.device)
    student = kind == "student"
    if student:
        with np.load(asked.work / "targets.npz") as held:
            targets, weights = held["targets"], held["weights"]
    else:
        targets, weights = hard(data["labels"])
    recipe = Recipe(
        epochs=asked.student_epochs if student else asked.epochs, rate=asked.rate,
        tokens=asked.tokens, adversarial=asked.adversarial, agreement=asked.agreement,
        seconds=asked.student_seconds if student else asked.teacher_seconds,
    )  # fmt: skip
    rows = learning(data, kept, asked.folds, labelled=not student)
    tune(model, texts, rows, targets, weights, recipe, seed)
    figures(model, texts, data, f"{kind} {kept} {seed}")
    if not student:
        return score(model, texts, np.arange(len(data["fold"]))), None
    path = asked.work / f"student-{seed}.npz"
    np.savez(path, allow_pickle=False, **weights_of(model))
    return None, path


def learning(
    data: dict[str, NDArray[np.int8]], kept: int, folds: int, labelled: bool
) -> NDArray[np.int64]:
    """Rows to learn from: no dev rows, no rows of the kept fold; three-class rows twice."""
    rows = np.flatnonzero(data["dev"] == 0)
    if kept >= 0:
        rows = rows[data["fold"][rows] % folds != kept]
    if labelled:
        rows = rows[(data["labels"][rows] >= 0).any(axis=1)]
    three = rows[data["labels"][rows, 0] >= 0]
    return np.concatenate([rows, three])


def figures(
    model: Classifier, texts: Texts, data: dict[str, NDArray[np.int64]], name: str
) -> float:
    """Mean of the dev sets' macro-F1, logged set by set."""
    found: dict[str, list[float]] = {"tri": [], "bin": []}
    parts = []
    for number, one in enumerate(data["dev_names"]):
        at = np.flatnonzero(data["dev_set"] == number)
        logits = score(model, texts, data["dev_rows"][at])
        task = str(one).partition("_")[0]
        f1 = judged(logits[:, 0], logits[:, 1], task, data["dev_truth"][at])
        found[task].append(f1)
        parts.append(f"{str(one).partition('_')[2]} {f1:.3f}")
    tri, binary = float(np.mean(found["tri"])), float(np.mean(found["bin"]))
    log.info("%s: tri %.4f bin %.4f | %s", name, tri, binary, " ".join(parts))
    return tri + binary


def weights_of(model: Classifier) -> Arrays:
    """All weights by name, the heads' too."""
    heads = {
        f"heads.{name}": p.detach().float().cpu().numpy()
        for name, p in model.heads.named_parameters()
    }
    return model.encoder.give() | heads


def _pilot(asked: argparse.Namespace, base: Path) -> None:
    """Compare recipes on all training rows; nothing is kept but the log."""
    recipes = json.loads(asked.pilot.read_text())
    with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_tried, asked, base), recipes))


def _tried(asked: argparse.Namespace, base: Path, recipe: dict[str, Any]) -> None:
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", force=True)
    began = time.monotonic()
    recipe = dict(recipe)
    source = asked.work / "raw.npz" if recipe.pop("raw", 0) else base
    data = dict(np.load(asked.rows))
    texts = Texts(data["ids"], data["offsets"], _device())
    model = Classifier(Encoder(dict(np.load(source)))).to(texts.device)
    targets, weights = hard(data["labels"])
    rows = learning(data, -1, asked.folds, labelled=True)
    tune(model, texts, rows, targets, weights, Recipe(**recipe), SEED)
    figures(model, texts, data, f"{source.stem} {recipe} {time.monotonic() - began:.0f} s")


def _keep(asked: argparse.Namespace, made: list[Arrays]) -> None:
    """Write the students' mean; it is better than each when it lies between them."""
    data = dict(np.load(asked.rows))
    texts = Texts(data["ids"], data["offsets"], _device())
    mean = {name: np.mean([one[name] for one in made], axis=0) for name in made[0]}
    best, kept = -1.0, mean
    for name, arrays in [("mean", mean), *((f"student {n}", one) for n, one in enumerate(made))]:
        model = Classifier(Encoder(arrays)).to(texts.device)
        with torch.no_grad():
            for key, parameter in model.heads.named_parameters():
                parameter.copy_(torch.from_numpy(arrays[f"heads.{key}"]))
        value = figures(model, texts, data, name)
        if value > best:
            best, kept = value, arrays
    write_parts(asked.out, kept)


def write_parts(out: Path, arrays: Arrays) -> None:
    """Write weights in half precision, in files that are not too large."""
    part: dict[str, NDArray[np.float16]] = {}
    size, number = 0, 0
    for name, value in sorted(arrays.items()):
        half = value.astype(np.float16)
        if size + half.nbytes > PART and part:
            np.savez(out / f"student-{number}.npz", allow_pickle=False, **part)
            part, size, number = {}, 0, number + 1
        part[name] = half
        size += half.nbytes
    np.savez(out / f"student-{number}.npz", allow_pickle=False, **part)


if __name__ == "__main__":
    main()
