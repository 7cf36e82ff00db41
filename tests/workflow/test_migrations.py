"""Older workflow databases become the present one, by numbered steps, and a newer one is refused.

After a change of a table: add a step to keqing.workflow.migrations, and record the new shape with
`python -m tests.workflow.test_migrations`; the shapes of earlier steps stay as they are.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect

from keqing.errors import WorkflowError, WorkflowOutdated
from keqing.workflow import db, event_sums, incident_log, migrations, postgres, stories
from keqing.workflow.event_tables import STARS
from keqing.workflow.migrations import STEPS_TAKEN
from keqing.workflow.schema import whole
from tests.workflow.servers import Cluster

OLD = Path(__file__).parent / "old"  # as the programs of their days made them
NEWEST = f"step-{migrations.newest()}.sql"
Shape = dict[str, object]


def shape(engine: db.Engine) -> Shape:
    """Columns, keys, indices and triggers of every table, without the order of columns."""
    with db.read(engine) as tx:
        seen = inspect(tx)
        found: Shape = {}
        for table in seen.get_table_names():
            primary = seen.get_pk_constraint(table)
            columns = {(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)}
            indices = {
                (i["name"], tuple(i["column_names"]), bool(i["unique"]))
                for i in seen.get_indexes(table)
            }
            keys = {(tuple(k["constrained_columns"]), k["referred_table"])
                    for k in seen.get_foreign_keys(table)}  # fmt: skip
            found[table] = (columns, indices, keys, tuple(primary["constrained_columns"]))
        if engine.dialect.name == "sqlite":
            rows = tx.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found["triggers"] = {tuple(row) for row in rows}
        return found


def old(path: Path, script: Path) -> Path:
    with sqlite3.connect(path) as file:
        file.executescript(script.read_text("utf-8"))
        if taken := re.fullmatch(r"step-(\d+)", script.stem):
            rows = [(s.number, s.name) for s in migrations.STEPS if s.number <= int(taken[1])]
            file.executemany("INSERT INTO workflow_steps VALUES (?, ?)", rows)
    file.close()
    return path


def seconds(*parts: int) -> int:
    return int(datetime(2026, 11, *parts, tzinfo=UTC).timestamp())


def dumped(path: Path) -> str:
    """The statements that make a database, sorted: tables before what stands on them."""
    with sqlite3.connect(path) as file:
        rows = file.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    file.close()
    made = [re.sub(r"[ \t]*\n\t", "\n  ", sql) for (sql,) in rows]
    made.sort(key=lambda sql: (not sql.startswith("CREATE TABLE"), sql))
    return "".join(f"{sql};\n" for sql in made)


@pytest.mark.parametrize("script", sorted(OLD.glob("*.sql")), ids=lambda path: path.stem)
def test_every_older_database_becomes_the_present_one(tmp_path: Path, script: Path) -> None:
    """Tables, columns, indices and guards are those of a new database, and nothing is left to do."""
    fresh = shape(db.open_file(tmp_path / "fresh.db"))
    engine = db.open_file(old(tmp_path / "old.db", script))
    assert shape(engine) == fresh
    with db.read(engine) as tx:
        assert migrations.version(tx) == migrations.newest()
        assert tx.execute(STEPS_TAKEN.select()).all() == [
            (s.number, s.name) for s in migrations.STEPS
        ]


def test_a_table_changes_with_a_step(tmp_path: Path) -> None:
    """The shape is the one recorded for the newest step; the docstring above says what to do."""
    db.open_file(tmp_path / "fresh.db").dispose()
    assert dumped(tmp_path / "fresh.db") == (OLD / NEWEST).read_text("utf-8")


def test_rows_survive_the_steps(tmp_path: Path) -> None:
    """Story times that were texts are Unix seconds, and an incident's log is whole."""
    path = old(tmp_path / "old.db", OLD / "unnumbered-3.sql")
    with sqlite3.connect(path) as file:
        file.execute(
            "INSERT INTO nlp_story_texts (story, scored_at, at, grams, facts) VALUES "
            "('s', '2026-11-26 11:30:00.000000', '2026-11-25 00:00:01.000000', x'01', x'02')"
        )
        file.execute(
            "INSERT INTO nlp_story_keys (batch_id, scored_at, stories, keys) VALUES "
            "('b', '2026-11-26 11:30:00.000000', '[\"s\"]', x'03')"
        )
    file.close()
    with db.begin(db.open_file(path)) as tx:
        assert stories.texts(tx, ["s"])["s"].at_s == seconds(25, 0, 0, 1)
        [row] = tx.execute(stories.KEYS.select())
        assert (row.scored_at_s, row.stories) == (seconds(26, 11, 30), '["s"]')
        assert incident_log.verify_log(tx) == 0


def test_no_vector_of_the_former_embedder_stays(tmp_path: Path) -> None:
    """Sums and means of other vectors are gone, the events and their words stay."""
    path = old(tmp_path / "old.db", OLD / "step-4.sql")
    with sqlite3.connect(path) as file:
        file.execute("INSERT INTO nlp_event_sums VALUES ('e', x'00', 1, 0.5, 1.0, 7)")
        file.execute("INSERT INTO nlp_event_brands VALUES ('b', x'00', 1.0, 1.0, 7, 7)")
        file.execute("INSERT INTO nlp_event_vectors VALUES ('b', 's', 'p', 7, x'00')")
        file.execute(
            "INSERT INTO nlp_event_stars VALUES ('e', 's', 'p', '{\"虫\": 1.0}', x'00', 1)"
        )
    file.close()
    with db.begin(db.open_file(path)) as tx:
        for table in (event_sums.SUMS, event_sums.BRANDS, event_sums.VECTORS):
            assert not tx.execute(table.select()).all()
        [star] = tx.execute(STARS.select()).all()
        assert (star.terms, star.vector) == ('{"虫": 1.0}', None)


def test_a_step_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps are one transaction: after a failure the old program could go on."""

    def broken(tx: db.Tx) -> None:
        whole().create_all(tx)
        raise WorkflowError("no")

    path = old(tmp_path / "old.db", OLD / "unnumbered-3.sql")
    before = dumped(path)
    steps = (*migrations.STEPS, migrations.Step(99, "broken", broken))
    monkeypatch.setattr(migrations, "STEPS", steps)
    with pytest.raises(WorkflowError, match="no"):
        db.open_file(path)
    assert dumped(path) == before


def test_a_newer_database_is_refused(opened: Callable[[], db.Engine]) -> None:
    """A program that does not know what a step did touches nothing, and says what to do."""
    engine = opened()
    with db.begin(engine) as tx:
        tx.execute(STEPS_TAKEN.insert().values(number=999, name="of tomorrow"))
    with pytest.raises(WorkflowOutdated, match="update keqing") as refused:
        opened()
    assert refused.value.exit_code == 4


@pytest.mark.xdist_group("postgres")
def test_a_step_runs_on_a_server_too(cluster: Cluster) -> None:
    """A server at an earlier step gets what is missing, and is then like a new one."""
    fresh = shape(db.ready(postgres.connect(cluster.address(cluster.database("template0")))))
    behind = postgres.connect(cluster.address(cluster.database()))
    with db.begin(behind) as tx:
        tx.execute(STEPS_TAKEN.delete().where(STEPS_TAKEN.c.number > 1))
        tx.exec_driver_sql("DROP TABLE nlp_corrections")
        tx.exec_driver_sql("DROP TABLE nlp_story_platforms")
        tx.exec_driver_sql("DROP TABLE audit_log")
    assert shape(db.ready(behind)) == fresh
    assert len(fresh) == len(whole().tables)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        db.open_file(Path(folder) / "fresh.db").dispose()
        (OLD / NEWEST).write_text(dumped(Path(folder) / "fresh.db"), "utf-8")
