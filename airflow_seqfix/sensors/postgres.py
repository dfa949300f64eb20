"""The sensor that lets a pipeline go on only when its sequences are in sync."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
)

from airflow_seqfix.task import SequenceTask, xcom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

#: What to do about drift.
ON_DRIFT = ("wait", "fail", "skip")


class PostgresSequenceDriftSensor(SequenceTask, BaseSensorOperator):
    """Wait until no PostgreSQL sequence is behind its data, exhausted or unknown.

    Reads only. The arguments of `SequenceTask` and of Airflow's sensors, and:

    :param on_drift: "wait" until another task or person has repaired it; "fail" at once, without retry; "skip".
    :param timeout: How long to wait, in seconds or as a timedelta. Minutes, and not Airflow's week: a sequence does
        not mend by itself.

    :return: The report, with the sequences that somebody has to look at.
    """

    def __init__(self, *, on_drift: str = "wait", timeout: float | datetime.timedelta = 15 * 60, **kwargs: Any) -> None:
        if on_drift not in ON_DRIFT:
            raise ValueError(f"on_drift={on_drift!r}: give one of {', '.join(ON_DRIFT)}")
        super().__init__(timeout=timeout, **kwargs)
        self.on_drift = on_drift

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once. The connection is closed before the next look."""
        from airflow_seqfix import core
        from airflow_seqfix.render.message import message

        try:
            with self.connection() as connection:
                report = core.check(connection, **self.options(context))
        except (core.ArgumentError, core.UnsupportedServerError) as error:
            raise AirflowFailException(str(error)) from None
        self.log_report(report)
        if report.failing and self.on_drift == "fail":
            self.fail(context, report)
        if report.failing and self.on_drift == "skip":
            raise AirflowSkipException(message(report))
        return PokeReturnValue(is_done=not report.failing, xcom_value=xcom(report))
