"""The warnings of a sequence. Pure."""

from __future__ import annotations

from airflow_seqfix.core.judge.twins import twin_now
from airflow_seqfix.core.model import Feed, Measurement, SequenceWarning, Server
from airflow_seqfix.core.policy import Policy


def warnings_of(measurement: Measurement, policy: Policy, server: Server) -> tuple[SequenceWarning, ...]:
    sequence = measurement.sequence
    columns, source = sequence.comparable, measurement.source
    return tuple(
        warning
        for warning, applies in (
            (SequenceWarning.STANDBY, server.in_recovery),
            (SequenceWarning.OPEN_WRITERS, measurement.open_writers > 0),
            (SequenceWarning.SAME_VALUES, twin_now(measurement, policy) is not None),
            (SequenceWarning.CACHED, sequence.cache_size > 1),
            (SequenceWarning.SHARED, len(columns) > 1),
            (SequenceWarning.NO_INDEX, any(not column.has_index for column in columns)),
            (SequenceWarning.NOT_UNIQUE, any(not column.is_unique for column in columns)),
            (SequenceWarning.NOT_OWNED, not any(column.is_owned for column in sequence.counted)),
            (
                SequenceWarning.NOT_COMPARED,
                any(not (c.is_comparable or c.is_covered or c.feed is Feed.UNDRAWN) for c in sequence.counted),
            ),
            (SequenceWarning.UNREAD_CHECK, any(c.unread_check or c.unread_beside for c in columns)),
            (SequenceWarning.UNDRAWN, sequence.is_undrawn and not columns),
            (SequenceWarning.NOT_AT_SOURCE, source is not None and not source.is_there),
            (SequenceWarning.SOURCE_DIFFERS, source is not None and source.differs is not None),
            (SequenceWarning.UNTRUSTED, bool(sequence.untrusted)),
        )
        if applies
    )
