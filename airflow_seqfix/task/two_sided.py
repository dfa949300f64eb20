"""What the operators know of the other side of a cutover."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_seqfix.task.arguments import read_all
from airflow_seqfix.task.base import SequenceTask

if TYPE_CHECKING:
    from airflow_seqfix.core import Connection
    from airflow_seqfix.task.sdk import Context

T = TypeVar("T")

#: What says where the other side of a cutover is.
SOURCE_ARGUMENTS = ("source_conn_id", "source_schemas")


class TwoSidedTask(SequenceTask):
    """A task that may look at the other side of a cutover too. The arguments of `SequenceTask`, and:

    :param source_conn_id: The PostgreSQL connection of the database from which the data came: no value that it has
        handed out is handed out again. It is read first, and only read.
    :param source_schemas: For each schema that has another name there: its name here, and its name there; or a string
        with that as JSON.
    """

    template_fields: Sequence[str] = (*SequenceTask.template_fields, *SOURCE_ARGUMENTS)

    def __init__(
        self, *, source_conn_id: str | None = None, source_schemas: dict[str, str] | str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.source_conn_id = source_conn_id
        self.source_schemas = source_schemas
        self.refuse_early(*SOURCE_ARGUMENTS)
        if source_schemas and source_conn_id is None:
            raise ValueError("source_schemas is for a source: give source_conn_id as well")

    def ask(self, context: Context, work: Callable[..., T], **more: Any) -> T:
        """Call a function of the core as `SequenceTask` does, with the source."""
        from airflow_seqfix.task.connection import open_connection

        given = read_all({name: getattr(self, name) for name in SOURCE_ARGUMENTS})
        if given["source_conn_id"] is None:
            return super().ask(context, work, **more)

        @contextlib.contextmanager
        def open_source() -> Iterator[Connection]:
            with open_connection(given["source_conn_id"], None, None) as connection, self._slot.hold(connection):
                yield connection

        return super().ask(context, work, source=open_source, source_schemas=given["source_schemas"], **more)
