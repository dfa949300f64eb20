"""The SQL that looks at the values of one column, in one table. Pure.

Names come quoted from the server, everything else that is filled in is an integer.
"""

from __future__ import annotations

from airflow_seqfix.core.measure.extract import extracted, ids_between, last_call
from airflow_seqfix.core.model import ColumnInfo, Look, SequenceInfo
from airflow_seqfix.core.model.column import BINARY_INTEGERS

#: How many stored values are looked at to find the first collision where the increment is not 1.
PROBE_ROWS = 1_000

FLOATS = ("real", "double precision")
#: An integer as nextval() is written into a text. Another spelling of the same number is another text.
INTEGER = "^(0|-?[1-9][0-9]{0,18})$"


def furthest_query(sequence: SequenceInfo, column: ColumnInfo, table: str) -> str:
    """Return a subquery for the furthest value that the sequence can collide with.

    Of an integer column the near end of the reach is left to `within_reach()`, and the far end where the column's type
    ends no later: such a query takes a third less of the server's time, most of which is planning.
    """
    far = "max" if sequence.is_ascending else "min"
    low, high = _reach(sequence, column)
    value = _number(column)
    if column.base_type in BINARY_INTEGERS and column.extract is None:
        assert column.largest_value is not None and column.smallest_value is not None
        where = ""
        if sequence.is_ascending and (high < column.largest_value or column.largest_by):
            where = f" WHERE {value} <= {_bigint(high)}"
        elif not sequence.is_ascending and (low > column.smallest_value or column.smallest_by):
            where = f" WHERE {value} >= {_bigint(low)}"
        return f"(SELECT {far}({value})::bigint FROM {table} AS t{where})"
    whole = _whole(sequence, column, _furthest(column, far))
    return f"(SELECT {whole} FROM {table} AS t WHERE {_is_between(column, low, high)})"


def furthest_on_steps_query(sequence: SequenceInfo, column: ColumnInfo, table: str, last_value: str) -> str:
    """Return a subquery for the furthest value in reach that lies on the sequence's own steps.

    :param last_value: Where the sequence is, as SQL.
    """
    far, value = "max" if sequence.is_ascending else "min", _number(column)
    low, high = _reach(sequence, column)
    return (
        f"(SELECT {far}({value})::bigint FROM {table} AS t WHERE {_is_between(column, low, high)}"
        f" AND {_is_on_steps(sequence, column, last_value)})"
    )


def twin_query(column: ColumnInfo) -> str:
    """Return a subquery for the next value of the column's twin, as a text: it may be no bigint."""
    if column.twin is None or not column.may_read_twin:
        return "NULL::text"
    return (
        f"(SELECT (t.last_value + t.is_called::integer * {column.twin_increment}::numeric)::text"
        f" FROM {column.twin} AS t)"
    )


def within_reach(sequence: SequenceInfo, column: ColumnInfo, value: int | None) -> int | None:
    """Return the furthest value, or None where it lies before all values that the sequence can collide with."""
    low, high = _reach(sequence, column)
    return value if value is not None and low <= value <= high else None


def probe_query(sequence: SequenceInfo, column: ColumnInfo, table: str, next_value: int, look: Look) -> str:
    """Return subqueries for the parts of a `Probe`.

    The first collision, where the look for it ended early, the furthest values that count, the furthest one beyond
    all that the sequence can hand out, and the nearest one ahead.
    """
    # Without a unique index of its own, a column takes every value again.
    may_collide = look.collision and column.is_unique
    collision, end = _collision(sequence, column, table, next_value) if may_collide else ("NULL", "NULL")
    furthest = _furthest_values(sequence, column, table, next_value, look) if look.furthest else "NULL"
    beyond = _beyond(sequence, column, table) if look.beyond else "NULL"
    nearest = _nearest(sequence, column, table, next_value) if look.nearest else "NULL"
    return f"{collision}::bigint, {end}::bigint, {furthest}::text, {beyond}::text, {nearest}::bigint"


def _collision(sequence: SequenceInfo, column: ColumnInfo, table: str, next_value: int) -> tuple[str, str]:
    # Where the values before its own are passed one by one, other writers' rows are in the way as well.
    least, most = _within(column, sequence.min_value, sequence.max_value)
    table, value = f"{table} AS t", _number(column)
    step = abs(sequence.increment_by)
    on_steps = _is_on_steps(sequence, column, _bigint(next_value % step))
    if sequence.is_ascending:
        near, far, order = "min", "max", ""
        low_ahead, high_ahead = max(least, next_value), most
    else:
        near, far, order = "max", "min", "DESC"
        low_ahead, high_ahead = least, min(most, next_value)
    # The next value itself may lie outside all that a bigint can hold.
    ahead = _is_between(column, low_ahead, high_ahead)
    if step == 1 and column.base_type in BINARY_INTEGERS:
        # Everything is on its steps.
        return f"(SELECT {_furthest(column, near)} FROM {table} WHERE {ahead})", "NULL"
    if step == 1:
        return f"(SELECT {near}({value}) FROM {table} WHERE {ahead} AND {on_steps})", "NULL"
    sample = (
        f"(SELECT {value} AS value, {on_steps} AS on_steps FROM {table}"
        f" WHERE {ahead} ORDER BY {_order(column)} {order} LIMIT {PROBE_ROWS}) AS sample"
    )
    return (
        f"(SELECT {near}(value) FROM {sample} WHERE on_steps)",
        f"(SELECT CASE WHEN count(*) = {PROBE_ROWS} THEN {far}(value) END FROM {sample})",
    )


def _furthest_values(sequence: SequenceInfo, column: ColumnInfo, table: str, next_value: int, look: Look) -> str:
    low, high = _reach(sequence, column)
    value, order = _number(column), "DESC" if sequence.is_ascending else "ASC"
    counts = _is_between(column, low, high)
    if look.on_steps:
        counts += f" AND {_is_on_steps(sequence, column, _bigint(next_value % abs(sequence.increment_by)))}"
    # An index gives each value once as it goes along; without one, that would sort the whole table.
    distinct = "DISTINCT " if column.has_index and not column.is_unique and column.extract is None else ""
    # As text: a connection that was lent need not know arrays.
    return (
        f"array_to_string(ARRAY(SELECT {_whole(sequence, column, 'value')}"
        f" FROM (SELECT {distinct}{value} AS value FROM {table} AS t"
        f" WHERE {counts} ORDER BY {_order(column)} {order} LIMIT {look.furthest}) AS furthest), ' ')"
    )


def _nearest(sequence: SequenceInfo, column: ColumnInfo, table: str, next_value: int) -> str:
    low, high = _reach(sequence, column)
    near = "min" if sequence.is_ascending else "max"
    low, high = (max(low, next_value), high) if sequence.is_ascending else (low, min(high, next_value))
    whole = _whole(sequence, column, _furthest(column, near))
    return f"(SELECT {whole} FROM {table} AS t WHERE {_is_between(column, low, high)})"


def _beyond(sequence: SequenceInfo, column: ColumnInfo, table: str) -> str:
    low, high = _reach(sequence, column)
    far, side, bound = ("max", ">", high) if sequence.is_ascending else ("min", "<", low)
    value = _number(column)
    where = f"{value} {side} {_bigint(bound)}"
    if column.base_type not in BINARY_INTEGERS:
        # Neither NaN nor an infinity.
        where += f" AND {value}::text ~ '^-?[0-9.]+$'"
    return f"(SELECT trunc({_numeric(column, f'{far}({value})')}) FROM {table} AS t WHERE {where})"


def free_in_a_row_query(sequence: SequenceInfo, column: ColumnInfo, first: int, last: int) -> str:
    """Return a subquery for the longest run of values that are not in the column.

    :param first: The first of the values looked at; it is on the sequence's steps, as is `last`.
    """
    step, order = sequence.increment_by, "ASC" if sequence.is_ascending else "DESC"
    value, (low, high) = _number(column), sorted((first, last))
    taken = (
        f"SELECT {_numeric(column, value)} FROM {column.qualified_table} AS t"
        f" WHERE {value} BETWEEN {_bigint(low)} AND {_bigint(high)}"
        f" AND {_is_on_steps(sequence, column, _bigint(first % abs(step)))}"
    )
    # The end of the last run comes after all values.
    return (
        f"(SELECT max((value - before) / ({step}) - 1)::text FROM (SELECT value,"
        f" lag(value, 1, {first - step}::numeric) OVER (ORDER BY value {order}) AS before"
        f" FROM ({taken} UNION ALL SELECT {last + step}::numeric) AS taken (value)) AS steps)"
    )


def _numeric(column: ColumnInfo, value: str) -> str:
    # There is no cast of an oid, and a numeric takes no more than 15 digits from a float.
    return f"{value}::bigint::numeric" if column.base_type in ("oid", *FLOATS) else f"{value}::numeric"


def _number(column: ColumnInfo) -> str:
    """Return the column's value as a number that compares with a bigint; NULL where a text holds none."""
    value = f"t.{column.quoted_column}"
    if column.extract is not None:
        return extracted(column, column.extract)
    if column.is_text:
        # Not every collation knows patterns.
        return f"CASE WHEN {value}::text COLLATE \"C\" ~ '{INTEGER}' THEN {value}::text::numeric END"
    return value


def _furthest(column: ColumnInfo, far: str) -> str:
    """Return the column's largest or smallest number, through its index where that has the order of the calls."""
    if column.extract is not None and column.is_in_order:
        value = f"{far}({_order(column)})"
        return f"({last_call(f'{value}::bigint' if column.base_type == 'oid' else value, column.extract)})"
    return f"{far}({_number(column)})"


def _is_between(column: ColumnInfo, low: int, high: int) -> str:
    """Return a condition: the column's number is one of these. An index serves where it has the order of the calls."""
    if low > high:
        return "false"
    if column.extract is not None and column.is_in_order:
        low, high = ids_between(low, high, column.extract)
        assert column.smallest_value is not None
        # The type may not hold what comes before.
        low = max(low, column.smallest_value)
    return f"{_order(column)} BETWEEN {_bigint(low)} AND {_bigint(high)}"


def _order(column: ColumnInfo) -> str:
    """Return what has the order of the column's numbers."""
    return f"t.{column.quoted_column}" if column.extract is not None and column.is_in_order else _number(column)


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
    elif column.base_type == "oid":
        # It has no remainder.
        value = f"{value}::bigint"
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
