"""What each role can see and do, and whether the grants that a message names are the ones that help.

Remedies are not only compared with a text: the statements in them are run, as superuser, and the work is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import errors, sql

from airflow_seqfix import core
from tests.support.servers import Database

TO_CHECK = (
    "GRANT USAGE ON SCHEMA app TO {role};",
    "GRANT SELECT ON SEQUENCE app.users_id_seq TO {role};",
    "GRANT SELECT (id) ON app.users TO {role};",
)
TO_ADVANCE = "GRANT USAGE ON SEQUENCE app.users_id_seq TO {role};"
TO_GUARD = "GRANT UPDATE ON SEQUENCE app.users_id_seq TO {role};"

#: What the role may not read, in the words of the reason, without each of the grants in TO_CHECK.
MISSING = ("schema app", "sequence app.users_id_seq", "column app.users.id")

BEHIND = "the next value is 1, and app.users.id has reached 20000"


class Scene:
    """A table of 20,000 rows whose sequence was never used, its owner, and a role without any grant."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.owner = db.role()
        self.role = db.role()
        db.execute(f"""
            CREATE SCHEMA app;
            GRANT USAGE, CREATE ON SCHEMA app TO {self.owner};
            SET ROLE {self.owner};
            CREATE TABLE app.users (id serial PRIMARY KEY, secret text);
            INSERT INTO app.users (id) SELECT generate_series(1, 20000)
        """)

    def grant(self, *grants: str) -> None:
        for grant in grants:
            self.db.execute(grant.format(role=self.role))

    def remedy(self, text: str) -> None:
        """Run a remedy as it stands."""
        self.db.execute(text)

    def check(self, role: str | None = None, **options: Any) -> dict[str, Any]:
        with self.db.connect(user=role or self.role) as conn:
            return only(core.check(conn, **options))

    def fix(self, role: str | None = None, **options: Any) -> dict[str, Any]:
        with self.db.connect(user=role or self.role) as conn:
            return only(core.fix(conn, **options))

    def next_value(self) -> int:
        return self.db.value("SELECT nextval('app.users_id_seq')")


def only(report: core.Report) -> dict[str, Any]:
    (row,) = report.to_dict()["sequences"]
    return row


def is_fixed(row: dict[str, Any], way: str) -> bool:
    assert row["error"] is None, row["error"]
    return row["verdict"] == "in_sync" and row["verified"] and row["way"] == way


@pytest.fixture
def scene(db: Database) -> Scene:
    return Scene(db)


def test_three_grants_are_enough_to_check(scene: Scene) -> None:
    scene.grant(*TO_CHECK)
    row = scene.check()
    assert (row["verdict"], row["reason"], row["gap"]) == ("behind", BEHIND, 20000)


@pytest.mark.parametrize("missing", range(len(TO_CHECK)), ids=MISSING)
def test_one_grant_less_is_unknown_and_the_remedy_is_that_grant(scene: Scene, missing: int) -> None:
    scene.grant(*TO_CHECK[:missing], *TO_CHECK[missing + 1 :])
    row = scene.check()
    assert row["verdict"] == "unknown"
    assert row["reason"] == f"role {scene.role} may not read {MISSING[missing]}"
    assert row["cure"] == TO_CHECK[missing].format(role=scene.role)
    assert (row["next_value"], row["furthest_value"]) == (None, None), "what could not be read in full is not shown"

    scene.remedy(row["cure"])
    assert scene.check()["verdict"] == "behind"


def test_no_grant_at_all_raises_nothing(scene: Scene) -> None:
    scene.db.execute("CREATE TABLE public.b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n smallserial)")
    with scene.db.connect(user=scene.role) as conn:
        report = core.check(conn)
    assert [str(row.verdict) for row in report.rows] == ["unknown"] * 3
    assert len(report.failing) == 3

    row = scene.check(tables="users")
    assert row["reason"] == f"role {scene.role} may not read {', '.join(MISSING)}"
    assert row["cure"] == " ".join(TO_CHECK).format(role=scene.role)
    scene.remedy(row["cure"])
    assert scene.check(tables="users")["verdict"] == "behind"


def test_a_repair_of_what_may_not_be_read_moves_nothing(scene: Scene) -> None:
    scene.grant(TO_ADVANCE, TO_GUARD)
    for lock in ("auto", "none", "guarded"):
        row = scene.fix(lock=lock)
        assert row["verdict"] == "unknown"
    assert scene.next_value() == 1


@pytest.mark.parametrize(
    ("lock", "reason"),
    [
        ("auto", "role {role} may not move app.users_id_seq"),
        ("none", "role {role} may not call nextval('app.users_id_seq')"),
    ],
)
def test_usage_on_the_sequence_is_enough_to_advance(scene: Scene, lock: str, reason: str) -> None:
    scene.grant(*TO_CHECK)
    row = scene.fix(lock=lock)
    assert row["verdict"] == "behind"
    assert row["error"] == {
        "sqlstate": "42501",
        "reason": reason.format(role=scene.role),
        "cure": TO_ADVANCE.format(role=scene.role),
    }
    assert row["cure"] == TO_ADVANCE.format(role=scene.role), "a check names the same remedy as a repair"
    assert scene.db.state("app.users_id_seq")[:2] == (1, False)

    scene.remedy(row["error"]["cure"])
    assert is_fixed(scene.fix(lock=lock), "advance")
    assert scene.next_value() == 20001


def test_update_on_the_sequence_is_enough_for_guarded(scene: Scene) -> None:
    scene.grant(*TO_CHECK, TO_ADVANCE)
    row = scene.fix(lock="guarded")
    assert row["error"] == {
        "sqlstate": "42501",
        "reason": f"role {scene.role} may not call setval('app.users_id_seq')",
        "cure": TO_GUARD.format(role=scene.role),
    }

    scene.remedy(row["error"]["cure"])
    row = scene.fix(lock="guarded")
    assert is_fixed(row, "guarded")
    assert not row["proven"]
    assert scene.next_value() == 20001


def test_only_the_owner_can_lock(scene: Scene) -> None:
    scene.grant(*TO_CHECK, TO_ADVANCE, TO_GUARD)
    row = scene.fix(lock="sequence")
    assert row["error"] == {
        "sqlstate": "42501",
        "reason": f"only its owner {scene.owner} may lock app.users_id_seq",
        "cure": f"GRANT {scene.owner} TO {scene.role}; -- or "
        f'GRANT USAGE ON SEQUENCE app.users_id_seq TO {scene.role}; -- and lock="auto"',
    }
    before = scene.db.state("app.users_id_seq")
    assert is_fixed(scene.fix(scene.owner, lock="sequence"), "locked")
    assert scene.db.state("app.users_id_seq") == (20000, True, before[2])


def test_a_member_of_the_owner_can_lock(scene: Scene) -> None:
    scene.grant(*TO_CHECK)
    scene.remedy(scene.fix(lock="sequence")["error"]["cure"])
    assert is_fixed(scene.fix(lock="sequence"), "locked")
    assert scene.next_value() == 20001


def test_a_member_that_inherits_nothing_is_told_so(scene: Scene) -> None:
    member = scene.db.role("NOINHERIT")
    scene.db.execute(f"GRANT {scene.owner} TO {member}")
    scene.db.execute(" ".join(TO_CHECK).format(role=member))
    row = scene.fix(member, lock="sequence")
    inherit = (
        f"GRANT {scene.owner} TO {member} WITH INHERIT TRUE;"
        if scene.db.server.version_num >= 160000
        else f"ALTER ROLE {member} INHERIT;"
    )
    assert row["error"] == {
        "sqlstate": "42501",
        "reason": f"only its owner {scene.owner} may lock app.users_id_seq, "
        f"and role {member} does not inherit its rights",
        "cure": f"{inherit} -- or SET ROLE {scene.owner} first",
    }

    with scene.db.connect(user=member) as conn:
        conn.execute(f"SET ROLE {scene.owner}")
        assert str(core.plan(conn, lock="sequence").report.rows[0].finding.move.way) == "locked"
        assert conn.execute("SELECT current_user").fetchone() == (scene.owner,), "the caller's SET ROLE stays"
    scene.remedy(row["error"]["cure"])
    assert is_fixed(scene.fix(member, lock="sequence"), "locked")


def test_owner_superuser_and_auto_choose_the_lock_over_large_gaps(scene: Scene) -> None:
    for role in (scene.owner, "postgres"):
        with scene.db.connect(user=role) as conn:
            (row,) = core.plan(conn, tables="users").report.rows
        assert str(row.finding.move.way) == "locked", role
    assert is_fixed(scene.fix("postgres"), "locked")


def test_pg_read_all_data_checks_and_pg_write_all_data_repairs(scene: Scene) -> None:
    if scene.db.server.version_num < 140000:
        with pytest.raises(errors.UndefinedObject):
            scene.db.execute(f"GRANT pg_read_all_data TO {scene.role}")
        return
    scene.db.execute(f"GRANT pg_write_all_data TO {scene.role}")
    assert scene.check()["reason"] == f"role {scene.role} may not read sequence app.users_id_seq, column app.users.id"

    scene.db.execute(f"REVOKE pg_write_all_data FROM {scene.role}; GRANT pg_read_all_data TO {scene.role}")
    row = scene.fix()
    assert (row["verdict"], row["error"]["cure"]) == ("behind", TO_ADVANCE.format(role=scene.role))

    scene.db.execute(f"GRANT pg_write_all_data TO {scene.role}")
    assert is_fixed(scene.fix(), "advance")


@pytest.fixture
def policy(scene: Scene) -> Iterator[Scene]:
    """Row-level security that shows the role the lower half of the ids."""
    scene.grant(*TO_CHECK)
    scene.db.execute("""
        ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;
        CREATE POLICY lower_half ON app.users USING (id <= 10000);
        SELECT setval('app.users_id_seq', 10000)
    """)
    return scene


def test_a_policy_that_hides_rows_is_unknown(policy: Scene) -> None:
    with policy.db.connect(user=policy.role) as conn:
        assert conn.execute("SELECT max(id) FROM app.users").fetchone() == (10000,), "it would look in sync"
    row = policy.check()
    assert row["verdict"] == "unknown"
    assert row["reason"] == f"row-level security may hide rows of app.users from role {policy.role}"
    assert row["cure"] == (f"ALTER ROLE {policy.role} BYPASSRLS; -- or run as {policy.owner}, which owns the table")
    for role in (policy.owner, "postgres"):
        assert policy.check(role)["gap"] == 10000, role

    policy.remedy(row["cure"])
    assert policy.check()["gap"] == 10000


def test_pg_read_all_data_does_not_see_past_a_policy(policy: Scene) -> None:
    if policy.db.server.version_num >= 140000:
        policy.db.execute(f"GRANT pg_read_all_data TO {policy.role}")
    assert policy.check()["verdict"] == "unknown"


def test_forced_policies_bind_the_owner_too(policy: Scene) -> None:
    policy.db.execute("ALTER TABLE app.users FORCE ROW LEVEL SECURITY")
    row = policy.check(policy.owner)
    assert row["verdict"] == "unknown"
    assert row["reason"] == f"row-level security may hide rows of app.users from role {policy.owner}"
    assert row["cure"] == f"ALTER ROLE {policy.owner} BYPASSRLS;", "to run as the owner would not help"
    assert policy.check("postgres")["verdict"] == "behind"

    policy.remedy(row["cure"])
    assert policy.check(policy.owner)["verdict"] == "behind"


def test_a_policy_on_a_partition_does_not_bind_who_reads_its_parent(scene: Scene) -> None:
    scene.db.execute(f"""
        CREATE TABLE app.parts (id int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id);
        CREATE TABLE app.part1 PARTITION OF app.parts FOR VALUES FROM (1) TO (1000);
        INSERT INTO app.parts OVERRIDING SYSTEM VALUE SELECT generate_series(1, 100);
        ALTER TABLE app.part1 ENABLE ROW LEVEL SECURITY;
        GRANT USAGE ON SCHEMA app TO {scene.role};
        GRANT SELECT ON SEQUENCE app.parts_id_seq TO {scene.role};
        GRANT SELECT (id) ON app.parts TO {scene.role}
    """)
    assert scene.check(tables="parts")["furthest_value"] == 100


def test_quoted_names_in_grants(db: Database) -> None:
    name = 'Ro""le; DROP'
    role = name.replace('""', '"')
    with db.connect() as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    db.roles.append(role)
    db.execute("""
        CREATE SCHEMA "My Schema";
        CREATE TABLE "My Schema"."T%s" ("Id" int GENERATED BY DEFAULT AS IDENTITY, "a""b" serial);
        INSERT INTO "My Schema"."T%s" VALUES (7, 7)
    """)
    with db.connect(user=role) as conn:
        rows = {row["columns"][0]: row for row in core.check(conn).to_dict()["sequences"]}
    assert rows['"My Schema"."T%s"."Id"']["cure"] == (
        f'GRANT USAGE ON SCHEMA "My Schema" TO "{name}"; '
        f'GRANT SELECT ON SEQUENCE "My Schema"."T%s_Id_seq" TO "{name}"; '
        f'GRANT SELECT ("Id") ON "My Schema"."T%s" TO "{name}";'
    )
    for row in rows.values():
        assert row["verdict"] == "unknown"
        db.execute(row["cure"])
    with db.connect(user=role) as conn:
        rows = core.fix(conn).to_dict()["sequences"]
    for row in rows:
        assert row["error"]["cure"] == f'GRANT USAGE ON SEQUENCE {row["sequence"]} TO "{name}";'
        db.execute(row["error"]["cure"])
    with db.connect(user=role) as conn:
        assert core.fix(conn).summary["verified"] == 2
