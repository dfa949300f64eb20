"""What lineage and data quality tools are told: for each column that a sequence feeds, what was expected and found.

Everything here is for tools that may not be installed: without them it comes to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    from airflow_seqfix.core import Report, Row

#: What kind of check it is, in the words of those tools.
CHECK_TYPE = "sequence_ahead_of_data"
#: How many reads are told as one: OpenLineage makes a job of each telling.
READS_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCheck:
    """One column that a sequence feeds, checked."""

    #: As it is called in SQL.
    table: str
    #: As lineage tools call it: database, schema and table, without quotes.
    dataset: str
    column: str
    sequence: str
    success: bool
    severity: str
    expected: str
    actual: str | None
    reason: str | None
    verdict: str

    @property
    def name(self) -> str:
        return f"{self.sequence} is ahead of {self.table}.{self.column}"


def column_checks(report: Report) -> Iterator[ColumnCheck]:
    """Yield a check for every column that was compared, or should have been."""
    for row in report.sorted_rows:
        if str(row.verdict) == "skipped":
            continue
        for place, column in enumerate(row.finding.sequence.comparable):
            success = not (row.finding.is_not_in_sync or row.fails(report.policy))
            next_value = row.finding.measurement.next_value
            yield ColumnCheck(
                table=column.qualified_table,
                dataset=f"{report.server.database}.{column.schema_name}.{column.table_name}",
                column=column.column_name,
                sequence=row.finding.sequence.qualified_name,
                success=success,
                severity="error" if success or row.fails(report.policy) else "warn",
                expected=_expected(row, place, report.policy.margin),
                actual=None if next_value is None else f"next value {next_value}",
                reason=row.reason,
                verdict=str(row.verdict),
            )


def _expected(row: Row, place: int, margin: int) -> str:
    """Return between what the next value has to lie: the data, and the end of sequence and column."""
    sequence, furthest = row.finding.sequence, row.finding.measurement.furthest
    reached = furthest[place] if place < len(furthest) else None
    if reached is None:
        return f"next value {'<=' if sequence.is_ascending else '>='} {sequence.limit}"
    bound = reached + margin * sequence.increment_by
    if sequence.is_ascending:
        return f"{bound} < next value <= {sequence.limit}"
    return f"{sequence.limit} <= next value < {bound}"


def check_results(report: Report) -> list[Any]:
    """Return the checks as the SQL check operators offer theirs to listeners; none where common-sql has no such."""
    try:
        from airflow.providers.common.sql.operators.sql import SQLCheckResult
    except ImportError:
        return []
    return [
        SQLCheckResult(
            name=check.name,
            check_type=CHECK_TYPE,
            success=check.success,
            severity=check.severity,
            column=check.column,
            table=check.table,
            expected=check.expected,
            actual=check.actual,
            description=check.reason,
            params={"sequence": check.sequence, "verdict": check.verdict},
        )
        for check in column_checks(report)
    ]


def operator_lineage(hook: PostgresHook, report: Report) -> OperatorLineage[Any, Any] | None:
    """Return each table as an input with its assertions; None without OpenLineage."""
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from airflow.providers.openlineage.sqlparser import SQLParser
        from openlineage.client.event_v2 import InputDataset
        from openlineage.client.facet_v2 import data_quality_assertions_dataset as facet
    except ImportError:
        return None
    namespace = SQLParser.create_namespace(hook.get_openlineage_database_info(hook.connection))
    by_dataset: dict[str, list[Any]] = defaultdict(list)
    for check in column_checks(report):
        by_dataset[check.dataset].append(_assertion(facet.Assertion, check))
    return OperatorLineage(
        inputs=[
            InputDataset(
                namespace=namespace,
                name=name,
                inputFacets={"dataQualityAssertions": facet.DataQualityAssertionsDatasetFacet(assertions=assertions)},
            )
            for name, assertions in by_dataset.items()
        ]
    )


def named_inputs(hook: PostgresHook, tables: Iterable[str], columns: Iterable[str]) -> OperatorLineage[Any, Any] | None:
    """Return the tables that a task names with their schema, before it has read anything; None without OpenLineage."""
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from airflow.providers.openlineage.sqlparser import SQLParser
        from openlineage.client.event_v2 import InputDataset
    except ImportError:
        return None
    from airflow_seqfix.core.discover.names import Name

    read = [Name.parse(name, "tables") for name in tables]
    read += [name.owner for name in (Name.parse(name, "columns") for name in columns) if len(name.parts) == 3]
    namespace = SQLParser.create_namespace(hook.get_openlineage_database_info(hook.connection))
    database = hook.database or hook.connection.schema
    datasets = dict.fromkeys(
        f"{database}.{'.'.join(name.plain)}" for name in read if len(name.parts) == 2 and not name.is_pattern
    )
    return OperatorLineage(inputs=[InputDataset(namespace=namespace, name=name) for name in datasets])


def nothing() -> OperatorLineage[Any, Any] | None:
    """Return what a task without a report has to tell; None without OpenLineage, which warns of None."""
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
    except ImportError:
        return None
    return OperatorLineage()


def _assertion(kind: Any, check: ColumnCheck) -> Any:
    """Return an assertion with as much as this version of OpenLineage's client knows."""
    known = {field.name for field in kind.__attrs_attrs__}
    more = {
        "severity": check.severity,
        "name": check.name,
        "description": check.reason,
        "expected": check.expected,
        "actual": check.actual,
        "params": {"sequence": check.sequence, "verdict": check.verdict},
    }
    return kind(
        assertion=CHECK_TYPE if "name" in known else f"{check.name}: {check.expected}, {check.actual}",
        success=check.success,
        column=check.column,
        **{name: value for name, value in more.items() if name in known},
    )


def send_hook_lineage(hook: PostgresHook, report: Report) -> None:
    """Tell Airflow's collector which tables were read, as hooks do for the statements that they run themselves."""
    try:
        from airflow.providers.common.sql.hooks.lineage import send_sql_hook_lineage
    except ImportError:
        return
    from airflow_seqfix.core.measure.column_sql import furthest_query

    read = {
        furthest_query(row.finding.sequence, column, column.qualified_table): None
        for row in report.rows
        if row.finding.measurement.furthest
        for column in row.finding.sequence.comparable
    }
    statements = [*read]
    for start in range(0, len(statements), READS_AT_ONCE):
        send_sql_hook_lineage(
            context=hook, sql=statements[start : start + READS_AT_ONCE], default_db=report.server.database
        )
