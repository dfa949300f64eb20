"""What retries mend is the same for operators, sensor and trigger."""

from __future__ import annotations

import json

import pytest

from airflow_seqfix.core import (
    ArgumentError,
    ConnectionFailedError,
    SelectionError,
    SeqfixError,
    UnsupportedServerError,
)
from airflow_seqfix.core.errors import CatalogError
from airflow_seqfix.task.errors import from_event, no_retry, to_event
from tests.support.sdk import AirflowFailException

CASES = [
    (ArgumentError("an argument"), AirflowFailException, "an argument"),
    (SelectionError("a table", option="tables"), AirflowFailException, "tables: a table"),
    (UnsupportedServerError("a server"), AirflowFailException, "a server"),
    (AirflowFailException("of Airflow's"), AirflowFailException, "of Airflow's"),
    (ConnectionFailedError("a line"), ConnectionFailedError, "a line"),
    (CatalogError("the catalogs", remedy="run again"), CatalogError, "the catalogs: run again"),
    (SeqfixError("another version"), SeqfixError, "another version"),
    (OSError("a disk"), SeqfixError, "OSError: a disk"),
]


@pytest.mark.parametrize(("error", "raised", "said"), CASES, ids=lambda case: type(case).__name__)
def test_what_a_trigger_met_is_raised_by_its_sensor(error: Exception, raised: type[Exception], said: str) -> None:
    found = from_event(json.loads(json.dumps(to_event(error))))
    assert (type(found), str(found)) == (raised, said)


@pytest.mark.parametrize(("error", "raised", "said"), CASES[:-1], ids=lambda case: type(case).__name__)
def test_an_operator_raises_the_same(error: Exception, raised: type[Exception], said: str) -> None:
    with pytest.raises(raised) as found, no_retry():
        raise error
    assert (type(found.value), str(found.value)) == (raised, said)
