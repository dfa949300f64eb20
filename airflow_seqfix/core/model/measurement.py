"""The values read for one sequence and its columns. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from airflow_seqfix.core.model.column import ColumnInfo
from airflow_seqfix.core.model.grant import Grant
from airflow_seqfix.core.model.sequence import SequenceInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why one sequence could not be read or moved; the others go on."""

    #: What was found, as a sentence without its full stop.
    reason: str
    #: What helps: a statement to run, or an option to set.
    remedy: str
    #: The server's SQLSTATE; None where the server was not asked.
    sqlstate: str | None = None
    #: Whether the connection was lost. No SQLSTATE tells: a function of the table's owner can raise any of them.
    is_lost: bool = False
    #: The grants that the remedy consists of; none where it is another one.
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Lookups for a sequence beyond its state and the furthest values."""

    #: The first stored value that nextval() will hit.
    collision: bool = False
    #: So many of the furthest stored values; 0: none.
    furthest: int = 0
    #: Whether those are the furthest on the sequence's own steps.
    on_steps: bool = False
    #: The furthest value beyond the last one that the sequence can hand out.
    beyond: bool = False
    #: The first stored value that lies ahead, whether or not nextval() will hit it.
    nearest: bool = False
    #: By column, the first and the last value on the sequence's steps of those whose longest run of free ones is
    #: counted; None: not to be counted in that column.
    free: tuple[tuple[int, int] | None, ...] = ()

    def __bool__(self) -> bool:
        return self.collision or self.furthest > 0 or self.beyond or self.nearest or any(self.free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The results of a probe."""

    #: The first stored value that nextval() will hit; None where the values looked at do not show one.
    collision: int | None = None
    #: The last stored value that was looked at for it.
    probed_to: int | None = None
    #: The furthest stored values that count, the furthest first; None: not asked for.
    furthest: tuple[int, ...] | None = None
    #: The furthest value beyond the last one that the sequence can hand out.
    beyond: int | None = None
    #: The first stored value that lies ahead.
    nearest: int | None = None
    #: By column, the longest run of values that are not taken in it; None where that is not known.
    free_in_a_row: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePosition:
    """Where a sequence stands on the other side of a cutover."""

    #: Database, host and port of the source.
    place: str
    #: What `--source` takes for it.
    argument: str
    #: Whether the source has such a sequence.
    is_there: bool = False
    #: What nextval() would return there.
    next_value: int | None = None
    #: The last value that may have been handed out there; None where it is not known.
    handed_out: int | None = None
    #: Whether it stands at the end where it began, so that it may have handed out nothing.
    is_untouched: bool = False
    #: In what its definition is another there.
    differs: str | None = None
    #: Why its position is not known, or means nothing here.
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One sequence and its columns, read at one moment, or the obstacle that was met."""

    sequence: SequenceInfo
    last_value: int | None = None
    is_called: bool | None = None
    #: The furthest value of each comparable column, in order; None for a column without rows in reach.
    furthest: tuple[int | None, ...] = ()
    #: The furthest stored value on the sequence's own steps; None where none is, or where it was not asked for.
    furthest_on_steps: int | None = None
    #: The furthest value of all, where `sequence.ends_before` leaves some out.
    furthest_of_all: int | None = None
    #: The next value of the twin of each comparable column; None: it has none, or it may not be read.
    twins: tuple[int | None, ...] = ()
    #: The same when this run first looked, before its own moves; empty: as above.
    twins_at_first: tuple[int | None, ...] = ()
    probe: Probe | None = None
    #: Why the last probe failed; None: it did not.
    unprobed: Obstacle | None = None
    #: How many transactions were writing to the tables, whose rows could not be seen.
    open_writers: int = 0
    #: Where it stands on the other side of a cutover; None: there is no other side.
    source: SourcePosition | None = None
    obstacle: Obstacle | None = None
    #: The maximum of the fed columns for an ascending sequence, the minimum for a descending one.
    furthest_value: int | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Once, because it is asked for a dozen times.
        values = [value for value in self.furthest if value is not None]
        far = max if self.sequence.is_ascending else min
        object.__setattr__(self, "furthest_value", far(values, default=None))

    @property
    def next_value(self) -> int | None:
        """What nextval() would return, were there no limit."""
        if self.last_value is None:
            return None
        return self.last_value + self.sequence.increment_by if self.is_called else self.last_value

    def before_rival(self) -> Measurement | None:
        """Return what is to be read anew, because the data have reached the START of a rival that lies ahead.

        None: they have not. What has handed out the last of its own values has not passed that START, although its next
        value has come there: it would end where a repair, or the inserts that fail, have brought it.
        """
        next_value, furthest = self.next_value, self.furthest_value
        if next_value is None or furthest is None:
            return None
        sign, near = (1, min) if self.sequence.is_ascending else (-1, max)
        handed_out = next_value - self.sequence.increment_by
        starts = [column.rival_start for column in self.sequence.rivalled if column.rival_start is not None]
        ahead = [start for start in starts if handed_out * sign < start * sign <= furthest * sign]
        if not ahead:
            return None
        return Measurement(sequence=replace(self.sequence, ends_before=near(ahead)))

    @property
    def handed_out_there(self) -> int | None:
        """The last value that the other side of a cutover may have handed out; None where that does not matter."""
        source = self.source
        if source is None or source.obstacle is not None or source.handed_out is None:
            return None
        # A bound may have been moved there since: the position of an untouched sequence counts where this is before it.
        is_past = self.next_value is not None and (
            self.next_value > source.handed_out if self.sequence.is_ascending else self.next_value < source.handed_out
        )
        return None if source.is_untouched and is_past else source.handed_out

    @property
    def distance(self) -> int:
        """The distance from the next to the furthest value; 0 without one."""
        if self.next_value is None or self.furthest_value is None:
            return 0
        return abs(self.furthest_value - self.next_value)

    @property
    def furthest_column(self) -> ColumnInfo | None:
        """The column that holds the furthest value."""
        if self.furthest_value is None:
            return None
        return self.sequence.comparable[self.furthest.index(self.furthest_value)]

    @property
    def furthest_stored(self) -> int | None:
        """The furthest value as its column holds it; the call that made it, where that made several."""
        column, call = self.furthest_column, self.furthest_value
        return call if column is None or call is None else column.stored(call)

    @property
    def is_reached(self) -> bool:
        """Whether the data have reached the next value."""
        if self.next_value is None or self.furthest_value is None:
            return False
        if self.sequence.is_ascending:
            return self.next_value <= self.furthest_value
        return self.next_value >= self.furthest_value
