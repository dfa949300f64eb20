"""The sensor that lets a pipeline go on only when its sequences are in sync."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_seqfix.task import SequenceTask

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

#: What to do about drift.
ON_DRIFT = ("wait", "fail", "skip")

#: The trigger keeps its own deadline, and says what is still behind. Airflow's comes later, for a trigger that died.
GRACE = datetime.timedelta(seconds=60)


class PostgresSequenceDriftSensor(SequenceTask, BaseSensorOperator):
    """Wait until no PostgreSQL sequence is behind its data, exhausted or unknown.

    Reads only. The arguments of `SequenceTask` and of Airflow's sensors, and:

    :param on_drift: "wait" until another task or person has repaired it; "fail" at once, without retry; "skip".
    :param timeout: How long to wait, in seconds or as a timedelta. Minutes, and not Airflow's week: a sequence does
        not mend by itself.
    :param deferrable: Whether to wait in the triggerer. The first look is taken in the worker all the same.

    :return: The report, with the sequences that somebody has to look at.
    """

    def __init__(
        self,
        *,
        on_drift: str = "wait",
        timeout: float | datetime.timedelta = 15 * 60,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        if on_drift not in ON_DRIFT:
            raise ValueError(f"on_drift={on_drift!r}: give one of {', '.join(ON_DRIFT)}")
        super().__init__(timeout=timeout, **kwargs)
        self.on_drift = on_drift
        self.deferrable = deferrable
        self._last_message = ""

    def execute(self, context: Context) -> Any:
        """Wait in the worker, or take one look and wait in the triggerer."""
        try:
            if self.deferrable:
                return self._look_or_defer(context, deadline=time.time() + self.timeout)
            return super().execute(context)
        except AirflowFailException as error:
            # As BaseSensorOperator does, for the first look before deferring.
            if self.soft_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        except AirflowSensorTimeout as error:
            raise AirflowSensorTimeout(f"{error}\n{self._last_message}") from None

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after the trigger. What it found in sync is looked at once more, for the log and the report."""
        from airflow_seqfix.core import ConnectionFailedError, SeqfixError

        if event["status"] == "in_sync":
            return self._look_or_defer(context, deadline=event["deadline"])
        if event["status"] == "timeout":
            raise AirflowSensorTimeout(f"Sensor has timed out after {self.timeout:g} seconds.\n{event['message']}")
        if event["class"] in ("ArgumentError", "SelectionError", "UnsupportedServerError", "AirflowFailException"):
            raise AirflowFailException(event["message"])
        if event["class"] == "ConnectionFailedError":
            raise ConnectionFailedError(event["message"])
        raise SeqfixError(f"{event['class']}: {event['message']}")

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once. The connection is closed before the next look."""
        from airflow_seqfix import core
        from airflow_seqfix.render.message import message

        report = self.ask(context, core.check, progress=self.log_progress)
        if self.on_drift == "fail":
            return PokeReturnValue(is_done=True, xcom_value=self.conclude(context, report))
        told = self.tell(context, report)
        if report.failing and self.on_drift == "skip":
            context["ti"].xcom_push(key="return_value", value=told)
            raise AirflowSkipException(message(report))
        self._last_message = message(report) if report.failing else ""
        return PokeReturnValue(is_done=not report.failing, xcom_value=told)

    def _look_or_defer(self, context: Context, deadline: float) -> Any:
        from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

        look = self.poke(context)
        if not look.is_done:
            self.defer(
                trigger=PostgresSequenceTrigger(
                    conn_id=self.conn_id,
                    database=self.database,
                    hook_params=self.hook_params,
                    options=dict(self.options(context)),
                    poke_interval=self.poke_interval,
                    deadline=deadline,
                ),
                method_name="execute_complete",
                timeout=datetime.timedelta(seconds=max(0.0, deadline - time.time())) + GRACE,
            )
        return look.xcom_value
