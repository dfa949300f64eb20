"""The sensor that lets a pipeline go on only when its sequences are in sync."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_seqfix.task.base import SequenceTask
from airflow_seqfix.task.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

if TYPE_CHECKING:
    from airflow_seqfix.task.sdk import Context

#: The trigger keeps its own deadline, and the worker then says what is still behind. Airflow's comes later, for a
#: trigger that died.
GRACE = datetime.timedelta(seconds=60)


class PostgresSequenceDriftSensor(SequenceTask, BaseSensorOperator):
    """Wait until no PostgreSQL sequence is behind its data, exhausted or unknown.

    Reads only. The arguments of `SequenceTask` and of Airflow's sensors, and:

    :param on_drift: "wait" until another task or person has repaired it; "fail" at once, without retry; "skip".
    :param timeout: Maximum time to wait, in seconds or as a timedelta. Minutes instead of Airflow's week, because a
        sequence does not repair itself.
    :param deferrable: Whether to wait in the triggerer, whatever `mode` says. The first check and the last still run in
        the worker. `exponential_backoff` then has no effect.

    :return: The report, with the sequences that need attention.
    """

    def __init__(
        self,
        *,
        on_drift: str = "wait",
        timeout: float | datetime.timedelta = 15 * 60,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.on_drift = on_drift
        self.deferrable = deferrable
        self.refuse_early("on_drift", "deferrable")
        self._deadline = 0.0
        #: What the triggerer is given.
        self._options: dict[str, Any] = {}
        #: What went wrong when it looked.
        self._error: Exception | None = None
        self._last_message = ""

    def execute(self, context: Context) -> Any:
        """Look until the gate opens, or once before the triggerer goes on looking."""
        return self._look_until(context, time.time() + self.timeout)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after the trigger with a look of the worker's own: for the log, the report, and the last word."""
        from airflow_seqfix.task.errors import from_event

        self._error = from_event(event) if event["status"] == "error" else None
        try:
            return self._look_until(context, event["deadline"])
        except AirflowSensorTimeout:
            # In a sensor that waits in its worker, never_fail leaves a timeout alone. Airflow would skip here.
            self.never_fail = False
            raise

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once. The connection is closed before the next look."""
        self._options = self.options(context)
        try:
            return self._look(context)
        except Exception as error:
            self._last_message = str(error)
            raise

    def _look(self, context: Context) -> PokeReturnValue:
        from airflow_seqfix import core

        if self._error is not None:
            error, self._error = self._error, None
            raise error
        report = self.ask(context, core.check, progress=self.log_progress)
        if self.on_drift == "fail":
            return PokeReturnValue(is_done=True, xcom_value=self.conclude(context, report))
        delivered = self.deliver(context, report)
        if not report.ok:
            context["ti"].xcom_push(key="return_value", value=delivered)
            self._last_message = report.message
            if self.on_drift == "skip":
                raise AirflowSkipException(self._last_message)
        return PokeReturnValue(is_done=report.ok, xcom_value=delivered)

    def _look_until(self, context: Context, deadline: float) -> Any:
        limit, self._deadline = self.timeout, deadline
        self.timeout = max(0.0, deadline - time.time())
        try:
            return super().execute(context)
        except AirflowSensorTimeout:
            said = f"Sensor has timed out after {limit:g} seconds.\n{self._last_message}"
            raise AirflowSensorTimeout(said.strip()) from None
        finally:
            self.timeout = limit

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        # Where BaseSensorOperator is about to wait. To defer here leaves everything else to it: soft_fail, never_fail,
        # silent_fail and the timeout mean the same as in a sensor that waits in its worker.
        if self.deferrable:
            self._defer()
        return super()._get_next_poke_interval(*args, **kwargs)

    def _defer(self) -> NoReturn:
        from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

        backstop = max(0.0, self._deadline - time.time()) + self._options["run_timeout"]
        self.defer(
            trigger=PostgresSequenceTrigger(
                **self.hook_arguments(),
                # The triggerer has time, and others to serve.
                options=self._options | {"jobs": 1},
                poke_interval=self.poke_interval,
                deadline=self._deadline,
            ),
            method_name="execute_complete",
            timeout=datetime.timedelta(seconds=backstop) + GRACE,
        )
