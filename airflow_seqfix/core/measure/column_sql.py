"""The SQL that looks at the values of one column, in one table. Pure.

Names come quoted from the server, everything else that is filled in is an integer.
"""

from __future__ import annotations

from airflow_seqfix.core.model import ColumnInfo, SequenceInfo

#: How many stored values are looked at to find the first collision where the increment is not 1.
PROBE_ROWS = 1_000

#: The types that hold integers up to a power of two, and no fractions.
BINARY_INTEGERS = ("smallint", "integer", "bigint", "oid")
FLOATS = ("real", "double precision")
TEXTS = ("text", "character varying", "character")
#: An integer as nextval() is written into a text. Another spelling of the same number is another text.
INTEGER = "^(0|-?[1-9][0-9]{0,18})$"


def furthest_query(sequence: SequenceInfo, column: ColumnInfo, table: str) -> str:
    """Return a subquery for the furthest value that the sequence can collide with.

    Of an integer column the near end of the reach is left to `within_reach()`, and the far end where the column ends
    no later: such a query takes a third less of the server's time, most of which is planning.
    """
    far = "max" if sequence.is_ascending else "min"
    low, high = _reach(sequence, column)
    value = _number(column)
    if column.base_type in BINARY_INTEGERS:
        assert column.largest_value is not None and column.smallest_value is not None
        where = ""
        if sequence.is_ascending and high < column.largest_value:
            where = f" WHERE {value} <= {_bigint(high)}"
        elif not sequence.is_ascending and low > column.smallest_value:
            where = f" WHERE {value} >= {_bigint(low)}"
        return f"(SELECT {far}({value})::bigint FROM {table} AS t{where})"
    whole = _whole(sequence, column, f"{far}({value})")
    return f"(SELECT {whole} FROM {table} AS t WHERE {value} BETWEEN {_bigint(low)} AND {_bigint(high)})"


def furthest_on_steps_query(sequence: SequenceInfo, column: ColumnInfo, table: str, last_value: str) -> str:
    """Return a subquery for the furthest value in reach that lies on the sequence's own steps.

    :param last_value: Where the sequence is, as SQL.
    """
    far, value = "max" if sequence.is_ascending else "min", _number(column)
    low, high = _reach(sequence, column)
    return (
        f"(SELECT {far}({value})::bigint FROM {table} AS t WHERE {value} BETWEEN {_bigint(low)} AND {_bigint(high)}"
        f" AND {_is_on_steps(sequence, column, last_value)})"
    )


def within_reach(sequence: SequenceInfo, column: ColumnInfo, value: int | None) -> int | None:
    """Return the furthest value, or None where it lies before all values that the sequence can collide with."""
    low, high = _reach(sequence, column)
    return value if value is not None and low <= value <= high else None


def probe_query(
    sequence: SequenceInfo,
    column: ColumnInfo,
    table: str,
    next_value: int,
    furthest_value: int,
    *,
    furthest_on_steps: int | None = None,
    is_far: bool = True,
) -> str:
    """Return subqueries for the parts of a `Probe`: the first collision, where the look for it ended early, the value
    before the furthest one, and the one before the furthest on the sequence's own steps.

    :param furthest_on_steps: None: not asked for.
    :param is_far: Whether the furthest value may be an outlier, so that the one before it matters.
    """
    low, high = _reach(sequence, column)
    # Where the values before its own are passed one by one, other writers' rows are in the way as well.
    least, most = _within(column, sequence.min_value, sequence.max_value)
    table, value = f"{table} AS t", _number(column)
    step = abs(sequence.increment_by)
    on_steps = _is_on_steps(sequence, column, _bigint(next_value % step))
    if sequence.is_ascending:
        near, far, order = "min", "max", ""
        low_ahead, high_ahead = max(least, next_value), most
        before = f"{value} >= {_bigint(low)} AND {value} <"
    else:
        near, far, order = "max", "min", "DESC"
        low_ahead, high_ahead = least, min(most, next_value)
        before = f"{value} <= {_bigint(high)} AND {value} >"
    # The next value itself may lie outside all that a bigint can hold.
    is_ahead = f"{value} BETWEEN {_bigint(low_ahead)} AND {_bigint(high_ahead)}"
    ahead = is_ahead if low_ahead <= high_ahead else "false"
    end = runner_up = runner_up_on_steps = "NULL"
    if step == 1 and column.base_type in BINARY_INTEGERS:
        # Everything is on its steps.
        collision = f"(SELECT {near}({value}) FROM {table} WHERE {ahead})"
    elif step == 1:
        collision = f"(SELECT {near}({value}) FROM {table} WHERE {ahead} AND {on_steps})"
    else:
        sample = (
            f"(SELECT {value} AS value, {on_steps} AS on_steps FROM {table}"
            f" WHERE {ahead} ORDER BY {value} {order} LIMIT {PROBE_ROWS}) AS sample"
        )
        collision = f"(SELECT {near}(value) FROM {sample} WHERE on_steps)"
        end = f"(SELECT CASE WHEN count(*) = {PROBE_ROWS} THEN {far}(value) END FROM {sample})"
    if is_far:
        whole = _whole(sequence, column, f"{far}({value})")
        runner_up = f"(SELECT {whole} FROM {table} WHERE {before} {_bigint(furthest_value)})"
        if furthest_on_steps is not None:
            runner_up_on_steps = (
                f"(SELECT {far}({value}) FROM {table} WHERE {before} {_bigint(furthest_on_steps)} AND {on_steps})"
            )
    return f"{collision}::bigint, {end}::bigint, {runner_up}::bigint, {runner_up_on_steps}::bigint"


def _number(column: ColumnInfo) -> str:
    """Return the column's value as a number that compares with a bigint; NULL where a text holds none."""
    value = f"t.{column.quoted_column}"
    if column.base_type in TEXTS:
        # Not every collation knows patterns.
        return f"CASE WHEN {value}::text COLLATE \"C\" ~ '{INTEGER}' THEN {value}::text::numeric END"
    return value


def _whole(sequence: SequenceInfo, column: ColumnInfo, value: str) -> str:
    """Return a number of the column as the bigint that the sequence passes last before it, or returns."""
    if column.base_type in BINARY_INTEGERS:
        return f"{value}::bigint"
    rounding = "floor" if sequence.is_ascending else "ceil"
    # A numeric takes no more than 15 digits from a float.
    return f"{rounding}({value if column.base_type in FLOATS else f'{value}::numeric'})::bigint"


def _is_on_steps(sequence: SequenceInfo, column: ColumnInfo, other: str) -> str:
    """Return a condition: a whole number of increments lies between a value of the column and another."""
    value = _number(column)
    if column.base_type in FLOATS:
        is_whole = f"{value} BETWEEN {_bigint(column.smallest_value)} AND {_bigint(column.largest_value)}"
        value = f"CASE WHEN {is_whole} AND {value} = floor({value}) THEN {value}::bigint END"
    # Of the remainders, because a difference can be too large for a bigint. A fraction has none of these.
    step = _bigint(sequence.increment_by)
    remainder = f"{other} % {step}"
    congruent = f"CASE sign({remainder}) WHEN sign({step}) THEN {remainder} - {step} ELSE {remainder} + {step} END"
    return f"{value} % {step} IN ({remainder}, {congruent})"


def _reach(sequence: SequenceInfo, column: ColumnInfo) -> tuple[int, int]:
    """Return the bounds of the column's values that count: those that the sequence is meant to hand out."""
    return _within(column, *sequence.own_values)


def _within(column: ColumnInfo, low: int, high: int) -> tuple[int, int]:
    assert column.largest_value is not None and column.smallest_value is not None
    return max(low, column.smallest_value), min(high, column.largest_value)


def _bigint(value: int | None) -> str:
    # One type for all, so that no arithmetic between them is done in a smaller one.
    return f"'{value}'::bigint"
