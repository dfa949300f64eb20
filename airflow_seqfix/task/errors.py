"""Which errors Airflow retries, for operators, sensor and trigger.

An error of the core says itself whether the same call may succeed later. One that no retry mends becomes Airflow's
exception for that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from airflow_seqfix.core import errors
from airflow_seqfix.task.sdk import AirflowFailException


def is_retryable(error: Exception) -> bool:
    """Whether another try may succeed."""
    if isinstance(error, errors.SeqfixError):
        return error.retryable
    return not isinstance(error, AirflowFailException)


@contextlib.contextmanager
def no_retry() -> Iterator[None]:
    """Turn what no retry mends into Airflow's exception for that."""
    try:
        yield
    except errors.SeqfixError as error:
        if is_retryable(error):
            raise
        raise AirflowFailException(errors.printable(str(error))) from None


def to_event(error: Exception) -> dict[str, Any]:
    """Return an error as a trigger hands it to its sensor, in JSON types."""
    is_expected = isinstance(error, errors.SeqfixError | AirflowFailException)
    return {
        "class": type(error).__name__,
        "message": errors.printable(str(error) if is_expected else f"{type(error).__name__}: {error}"),
        "retryable": is_retryable(error),
    }


def from_event(event: dict[str, Any]) -> Exception:
    """Return the exception that a look in the worker would have raised."""
    if not event["retryable"]:
        return AirflowFailException(event["message"])
    kinds = {kind.__name__: kind for kind in (errors.ConnectionFailedError, errors.CatalogError)}
    return kinds.get(event["class"], errors.SeqfixError)(event["message"])
