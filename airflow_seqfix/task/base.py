"""What the operators and the sensor share: arguments, and the connection that the core is called on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow_seqfix.options import FAIL_ON, NAME_OPTIONS, OPTIONS, Group, Jobs
from airflow_seqfix.rules import BySequence
from airflow_seqfix.task import history
from airflow_seqfix.task.arguments import read_all, refuse_early
from airflow_seqfix.task.connection import Slot
from airflow_seqfix.task.reporting import REPORT_ARGUMENTS, ReportingTask

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_seqfix.core import Connection
    from airflow_seqfix.task.sdk import Context

#: What says where to connect.
HOOK_ARGUMENTS = ("conn_id", "database", "hook_params")
#: The options of `airflow_seqfix.core` that every task takes. What moves a sequence is the operator's, and the name of
#: the connections is made of the task's.
OPTIONS_OF_TASKS = tuple(
    name for name in OPTIONS if name != "application_name" and OPTIONS[name].group is not Group.MOVING
)

Names = str | Sequence[str]
T = TypeVar("T")


class SequenceTask(ReportingTask):
    """A task on the sequences of one PostgreSQL database. The arguments of `ReportingTask`, and:

    :param conn_id: The PostgreSQL connection.
    :param database: Another database than the connection's.
    :param hook_params: More arguments for `PostgresHook`.
    :param schemas: Schemas of the sequences, or of the tables that they feed: names as written in SQL, or patterns
        such as `app_*`; a list, or a string with JSON or commas. This and the next three narrow each other; empty means
        all.
    :param tables: Tables that the sequences feed.
    :param columns: Columns that the sequences feed.
    :param sequences: The sequences themselves.
    :param exclude: Sequences, tables or columns whose sequences are listed as skipped.
    :param mapping: Columns that a sequence feeds though no catalog says so (triggers, applications), such as
        `{"public.hibernate_sequence": ["public.orders.id"]}`; or a string with that as JSON.
    :param id_range: The lowest and highest value of a sequence's own where several writers share a column, such as
        `{"public.orders_id_seq": [1, 999999]}`; or a string with that as JSON.
    :param allow_empty: Whether a selection may match no sequence.
    :param allow_skipped: Whether the task succeeds if a named object is skipped.
    :param margin: How many steps beyond the furthest value the next value must lie.
    :param max_jump: The length of a gap beyond which the furthest few values are outliers.
    :param outliers: "report": a move passes all other values, and the task fails until somebody has decided; "follow":
        it passes them as well; "ignore": they do not count.
    :param interleaved: Whether only values on the sequence's own steps count (several writers with offsets).
    :param foreign: Whether foreign tables are read as well, on their own servers.
    :param own_code_only: Do not read tables whose indexes, statistics or constraints call functions of other roles,
        which would run with the rights of the connection's role: their sequences are unknown.
    :param fail_on: The verdicts and warnings that fail the task, of "behind", "exhausted", "unknown", "skipped",
        "undrawn", "open_writers" and "not_at_source"; an empty list: none. A move that was refused or failed always
        fails it.
    :param warn_used_pct: Warn above this percentage of used values.
    :param fail_used_pct: Fail above this percentage, whatever the verdict; None: never.
    :param min_remaining: Fail with fewer values left than this, whatever the verdict; None: never.
    :param min_days_left: Fail if a sequence lasts fewer days than this at the pace of this task's earlier runs,
        whatever its verdict; None: never, and no history is kept. Without a forecast it does not fail.
    :param lock_timeout: Maximum time to wait for a lock, in seconds; at most 1.
    :param statement_timeout: Maximum time for a statement, in seconds.
    :param run_timeout: Maximum time for the run, in seconds; sequences not reached are unknown.
    :param wait_for_writers: How long to wait, in seconds, for transactions that are writing to the tables: their rows
        cannot be seen yet. 0: they are reported only.
    :param jobs: How many connections share the work. A deferred sensor waits with one.
    :param all_positions: Whether the position of skipped sequences is read too, for a report that serves as a source.
    """

    template_fields: Sequence[str] = (
        *HOOK_ARGUMENTS,
        *(name for name in OPTIONS_OF_TASKS if OPTIONS[name].templated),
        *REPORT_ARGUMENTS,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = dict.fromkeys(
        ("hook_params", *(name for name in OPTIONS if isinstance(OPTIONS[name].rule, BySequence))), "json"
    )
    ui_color = "#d5e8d4"

    def __init__(
        self,
        *,
        conn_id: str = "postgres_default",
        database: str | None = None,
        hook_params: dict[str, Any] | None = None,
        schemas: Names = (),
        tables: Names = (),
        columns: Names = (),
        sequences: Names = (),
        exclude: Names = (),
        mapping: dict[str, Any] | str | None = None,
        id_range: dict[str, Any] | str | None = None,
        allow_empty: bool = False,
        allow_skipped: bool = False,
        margin: int | str = 0,
        max_jump: int = 10_000_000,
        outliers: str = "report",
        interleaved: bool = False,
        foreign: bool = False,
        own_code_only: bool = False,
        fail_on: Names = FAIL_ON,
        warn_used_pct: float = 75.0,
        fail_used_pct: float | None = None,
        min_remaining: int | None = None,
        min_days_left: float | None = None,
        lock_timeout: float = 0.1,
        statement_timeout: float = 60.0,
        run_timeout: float = 300.0,
        wait_for_writers: float = 0.0,
        jobs: Jobs = 1,
        all_positions: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.database = database
        self.hook_params = hook_params
        self.schemas = schemas
        self.tables = tables
        self.columns = columns
        self.sequences = sequences
        self.exclude = exclude
        self.mapping = mapping
        self.id_range = id_range
        self.allow_empty = allow_empty
        self.allow_skipped = allow_skipped
        self.margin = margin
        self.max_jump = max_jump
        self.outliers = outliers
        self.interleaved = interleaved
        self.foreign = foreign
        self.own_code_only = own_code_only
        self.fail_on = fail_on
        self.warn_used_pct = warn_used_pct
        self.fail_used_pct = fail_used_pct
        self.min_remaining = min_remaining
        self.min_days_left = min_days_left
        self.lock_timeout = lock_timeout
        self.statement_timeout = statement_timeout
        self.run_timeout = run_timeout
        self.wait_for_writers = wait_for_writers
        self.jobs = jobs
        self.all_positions = all_positions
        self._slot = Slot()
        self.refuse_early(*HOOK_ARGUMENTS, *OPTIONS_OF_TASKS, *REPORT_ARGUMENTS)

    def refuse_early(self, *arguments: str) -> None:
        """Refuse invalid arguments that no template changes while the DAG is parsed.

        :raises ValueError: that names one and says what to give.
        """
        refuse_early({name: getattr(self, name) for name in arguments}, self.template_fields)

    def options(self, context: Context) -> dict[str, Any]:
        """Return what the core is given.

        :raises AirflowFailException: when an argument is invalid.
        """
        given = read_all({name: getattr(self, name) for name in OPTIONS_OF_TASKS})
        # What is left out stays so on its way to a triggerer, where an empty tuple arrives as a list.
        options = {name: value for name, value in given.items() if name not in NAME_OPTIONS or value}
        instance = context.get("ti")
        if instance is not None:
            # Who is it, in pg_stat_activity.
            options["application_name"] = f"{instance.dag_id}.{instance.task_id} {instance.run_id}"
        return options

    def hook_arguments(self) -> dict[str, Any]:
        """Return what `open_connection` is given.

        :raises AirflowFailException: when an argument is invalid.
        """
        return read_all({name: getattr(self, name) for name in HOOK_ARGUMENTS})

    def ask(self, context: Context, work: Callable[..., T], **more: Any) -> T:
        """Call a function of the core on a connection, with the options of this task and `more`.

        The connection is at hand for `on_kill` while it is open.

        :raises AirflowFailException: when an argument is invalid, which no retry mends.
        :raises ConnectionFailedError: when no connection can be opened. Airflow retries that.
        """
        from airflow_seqfix.core import ArgumentError, ConnectionFailedError
        from airflow_seqfix.task.errors import no_retry

        options = {**self.options(context), **more}
        if self.min_days_left is not None:
            options["since"] = self.earlier = self.earlier or history.earlier(context)
        with no_retry():
            self.report_file()
            with self._connections() as borrow:
                try:
                    return work(borrow, **options)
                except ArgumentError as error:
                    if error.option != "since":
                        raise
                    # The connection leads to another database by now.
                    self.log.warning("What earlier runs have found is left out: %s", error)
                    self.earlier = []
                    return work(borrow, **options | {"since": []})
                except ConnectionFailedError as error:
                    if error.report is not None:
                        context["ti"].xcom_push(key="return_value", value=self.deliver(context, error.report))
                    raise

    @contextlib.contextmanager
    def _connections(self) -> Iterator[Callable[[], Connection]]:
        """Open a connection, and yield what returns it, and opens another one when it is called again."""
        from airflow_seqfix.task.connection import heard_while_waiting, open_connection

        with contextlib.ExitStack() as stack:

            def connect() -> Connection:
                connection = stack.enter_context(open_connection(**self.hook_arguments()))
                stack.enter_context(self._slot.hold(connection))
                return connection

            first = connect()
            stack.enter_context(heard_while_waiting(first))
            ready = [first]
            yield lambda: ready.pop() if ready else connect()

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any] | None:
        """Return what OpenLineage is told before anything is read: the tables that are named with their schema."""
        from airflow_seqfix.task.connection import make_hook
        from airflow_seqfix.task.lineage import named_inputs

        given = read_all({name: getattr(self, name) for name in ("tables", "columns")})
        return named_inputs(make_hook(**self.hook_arguments()), given["tables"], given["columns"])

    def on_kill(self) -> None:
        """Cancel the statement that is running, and see to it that no other follows."""
        self.log.warning("Told to stop: what runs on the server is cancelled")
        self._slot.cancel()
