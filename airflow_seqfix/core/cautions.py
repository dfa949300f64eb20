"""What to know of a sequence beside its verdict. Pure."""

from __future__ import annotations

from enum import Enum

from airflow_seqfix.core.catalog import Feed, Server
from airflow_seqfix.core.measurement import Measurement


class Caution(str, Enum):
    """What to know beside the verdict."""

    EXHAUSTING = "exhausting"  #: `warn_used_pct` of the values are used
    OUTLIER = "outlier"  #: the furthest value stands far from all others, and is not followed unasked
    CACHED = "cached"  #: CACHE > 1: open sessions may still hand out values that they took earlier
    NO_INDEX = "no_index"  #: no index leads with a column, so it is read from end to end
    NOT_UNIQUE = "not_unique"  #: a column takes the same value twice without an error
    SHARED = "shared"  #: the sequence feeds several columns
    NOT_OWNED = "not_owned"  #: no column owns the sequence
    NOT_COMPARED = "not_compared"  #: it also feeds a column whose values cannot be compared
    OPEN_WRITERS = "open_writers"  #: transactions were writing whose rows could not be seen yet
    STANDBY = "standby"  #: read on a standby, which sees sequences ahead of the primary

    def __str__(self) -> str:
        return self.value


def cautions_of(measurement: Measurement, server: Server) -> tuple[Caution, ...]:
    sequence = measurement.sequence
    columns = sequence.comparable
    return tuple(
        caution
        for caution, applies in (
            (Caution.STANDBY, server.in_recovery),
            (Caution.OPEN_WRITERS, measurement.open_writers > 0),
            (Caution.CACHED, sequence.cache_size > 1),
            (Caution.SHARED, len(columns) > 1),
            (Caution.NO_INDEX, any(not column.has_index for column in columns)),
            (Caution.NOT_UNIQUE, any(not column.is_unique for column in columns)),
            (Caution.NOT_OWNED, not any(column.is_owned for column in sequence.columns)),
            (
                Caution.NOT_COMPARED,
                any(not (c.is_comparable or c.is_covered or c.feed is Feed.OWNED) for c in sequence.columns),
            ),
        )
        if applies
    )
