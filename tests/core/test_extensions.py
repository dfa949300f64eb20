"""Extensions: their own tables are theirs, and those whose rows a dump carries are the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_seqfix import core
from tests.support.psql import reset
from tests.support.servers import Database, Server, database_on, wheel_label

#: Any extension will do. Of its four tables the second and the third are in extconfig: a dump carries their rows. The
#: sequences of the first, the second and the fourth are members, as those of a serial column are.
QUEUES = """
    CREATE EXTENSION postgres_fdw;
    CREATE TABLE internal (id serial PRIMARY KEY, note text);
    CREATE TABLE queue (id serial PRIMARY KEY, note text);
    CREATE SEQUENCE ticks;
    CREATE TABLE tick (id bigint PRIMARY KEY DEFAULT nextval('ticks'), note text);
    CREATE SEQUENCE events;
    INSERT INTO internal (id) VALUES (5);
    INSERT INTO queue (id) VALUES (5);
    INSERT INTO tick (id) VALUES (5);
    ALTER EXTENSION postgres_fdw ADD TABLE internal;
    ALTER EXTENSION postgres_fdw ADD SEQUENCE internal_id_seq;
    ALTER EXTENSION postgres_fdw ADD TABLE queue;
    ALTER EXTENSION postgres_fdw ADD SEQUENCE queue_id_seq;
    ALTER EXTENSION postgres_fdw ADD TABLE tick;
    ALTER EXTENSION postgres_fdw ADD SEQUENCE ticks;
    -- What pg_extension_config_dump() does in an extension's script.
    UPDATE pg_extension SET extconfig = ARRAY['queue'::regclass, 'tick'::regclass]::oid[], extcondition = '{"",""}'
     WHERE extname = 'postgres_fdw';
"""
THEIRS = "it is part of the extension postgres_fdw; name it to have it checked"


@pytest.fixture
def queues(start_server: Callable[[str], Server]) -> Iterator[Database]:
    # The other servers bring no extension that can be created.
    with database_on(start_server(wheel_label())) as database:
        database.execute(QUEUES)
        yield database


def found(db: Database, **options: Any) -> dict[str, tuple[str, str | None]]:
    with db.connect() as conn:
        rows = core.check(conn, **options).rows
    return {row.finding.sequence.sequence_name: (str(row.verdict), row.reason) for row in rows}


def test_what_a_dump_carries_is_judged(queues: Database) -> None:
    verdicts = found(queues)
    assert {name: verdict for name, (verdict, _) in verdicts.items()} == {
        "events": "skipped",
        "internal_id_seq": "skipped",
        "queue_id_seq": "behind",
        "ticks": "behind",
    }
    assert verdicts["internal_id_seq"][1] == THEIRS
    with queues.connect() as conn:
        core.fix(conn)
    assert queues.value("INSERT INTO queue (note) VALUES ('') RETURNING id") == 6
    assert queues.value("INSERT INTO tick (note) VALUES ('') RETURNING id") == 6


@pytest.mark.parametrize("named", [{"tables": ["internal"]}, {"sequences": ["public.internal_id_seq"]}])
def test_what_is_named_is_judged(named: dict[str, Any], queues: Database) -> None:
    assert found(queues, **named)["internal_id_seq"][0] == "behind"
    with queues.connect() as conn:
        core.fix(conn, plan=core.plan(conn, **named))
    assert queues.value("INSERT INTO internal (note) VALUES ('') RETURNING id") == 6


def test_a_pattern_does_not_name(queues: Database) -> None:
    assert found(queues, sequences=["*_id_seq"])["internal_id_seq"] == ("skipped", THEIRS)


def test_the_script_does_the_same(queues: Database) -> None:
    run = reset(queues.dsn, all="on", mode="check")
    assert {name: row["verdict"] for name, row in run.rows.items()} == {
        "public.events": "skipped",
        "public.internal_id_seq": "skipped",
        "public.queue_id_seq": "behind",
        "public.ticks": "behind",
    }
    assert run.rows["public.internal_id_seq"]["reason"] == THEIRS
    assert (
        reset(queues.dsn, mode="check", sequence="internal*", all="on").rows["public.internal_id_seq"]["reason"]
        == THEIRS
    )
    for named in ({"table": "internal"}, {"sequence": "public.internal_id_seq"}):
        assert reset(queues.dsn, mode="check", **named).rows["public.internal_id_seq"]["verdict"] == "behind"
