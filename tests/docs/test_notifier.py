"""The template that a page gives to a chat's notifier: what a table is called is no mention there."""

from __future__ import annotations

import re

import jinja2

from airflow_seqfix import core
from tests.support.pages import read
from tests.support.servers import Database


def test_a_name_is_no_mention_and_no_link(newest_db: Database) -> None:
    (template,) = re.findall(r'^ +text="(.+)",$', read("docs/howto/gate.md"), re.MULTILINE)
    newest_db.execute('CREATE TABLE "<!channel> & co" (id serial); INSERT INTO "<!channel> & co" VALUES (5)')
    with newest_db.connect() as conn:
        error = core.check(conn).failure
    said = jinja2.Template(template).render(exception=error)
    assert "<" not in said
    assert '"&lt;!channel> &amp; co".id has reached 5' in said
