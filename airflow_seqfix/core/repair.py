"""Moves sequences forward, one short transaction each, and looks afterwards whether it worked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from airflow_seqfix.core import queries
from airflow_seqfix.core.catalog import Server
from airflow_seqfix.core.crew import Crew, Event
from airflow_seqfix.core.errors import ConnectionFailedError, DeadlineError, Obstacle, sqlstate
from airflow_seqfix.core.judge import Finding, Verdict, judge
from airflow_seqfix.core.measure import measure
from airflow_seqfix.core.obstacles import immovable, out_of_time
from airflow_seqfix.core.partitions import cut
from airflow_seqfix.core.policy import Policy
from airflow_seqfix.core.progress import Progress, Teller, Watcher
from airflow_seqfix.core.session import Limits, Session, milliseconds
from airflow_seqfix.core.steps import calls_to_pass, is_beyond
from airflow_seqfix.core.ways import SetVal, Way

#: How many values one transaction takes with nextval(): about 10 ms, and the step at which a run can be interrupted.
CALLS_AT_ONCE = 10_000
#: How many moves are sent in one round trip, each in a transaction of its own.
MOVES_AT_ONCE = 50
#: How often a lock is asked for, and how long to wait between, in seconds: everybody queues behind a waiting lock.
LOCK_ATTEMPTS = 3
LOCK_PAUSE = 1.0
#: How often to move again because more explicit ids have arrived meanwhile.
ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one sequence that was behind."""

    #: How it was found.
    before: Finding
    #: How it stands now, read again in a new transaction; the same as `before` where nothing was tried.
    after: Finding
    way: Way | None = None
    #: Whether it was read again and found in sync.
    verified: bool = False
    #: Why it was not moved.
    error: Obstacle | None = None


def apply(
    crew: Crew,
    server: Server,
    due: list[Outcome],
    policy: Policy,
    *,
    rounds: int = ROUNDS,
    watcher: Watcher | None = None,
) -> list[Outcome]:
    """Move each sequence that is due, and verify it. One failure never stops the others.

    :param due: Outcomes whose `after` has a `setval` where there is something to do.
    :param rounds: How often a sequence is moved where more explicit ids have arrived meanwhile.
    :raises ConnectionFailedError: when the connection is lost; every sequence stays forward of where it was.
    """
    outcomes = {outcome.before.sequence.oid: outcome for outcome in due}
    for attempt in range(rounds):
        behind = [o for o in outcomes.values() if o.error is None and not o.verified and o.after.setval is not None]
        if not behind:
            break
        teller = Teller(watcher, Progress(phase="move", total=len(behind), found=len(behind)))
        moves = [outcome.after.setval for outcome in behind if outcome.after.setval is not None]
        # What has not moved with others is moved by itself, which says why it does not.
        most = (1 if attempt else MOVES_AT_ONCE, CALLS_AT_ONCE)
        batches = list(cut(moves, lambda setval: (1, setval.calls), most=most))
        for batch, errors in zip(batches, crew.map(partial(_move_batch, teller, server), batches), strict=True):
            for setval, error in zip(batch, errors, strict=True):
                oid = setval.sequence.oid
                outcomes[oid] = replace(outcomes[oid], way=setval.way, error=error)
            teller.end(done=len(batch))
        _verify(crew, server, outcomes, [o.before.sequence.oid for o in behind], policy, watcher)
    return [
        outcome if outcome.after.setval is None or outcome.error else replace(outcome, error=_still_behind(outcome))
        for outcome in outcomes.values()
    ]


def _verify(
    crew: Crew,
    server: Server,
    outcomes: dict[int, Outcome],
    oids: list[int],
    policy: Policy,
    watcher: Watcher | None,
) -> None:
    sequences = [outcomes[oid].before.sequence for oid in oids]
    teller = Teller(watcher, Progress(phase="read", total=len(sequences)))
    for chunk in measure(
        crew, server, sequences, on_steps=policy.interleaved, max_jump=policy.max_jump, begin=teller.begin
    ):
        found = 0
        for measurement in chunk:
            oid = measurement.sequence.oid
            if writers := outcomes[oid].before.measurement.open_writers:
                measurement = replace(measurement, open_writers=writers)
            after = judge(measurement, policy, server)
            outcomes[oid] = replace(outcomes[oid], after=after, verified=after.verdict is Verdict.IN_SYNC)
            found += after.is_amiss
        teller.end(done=len(chunk), found=found)


def _still_behind(outcome: Outcome) -> Obstacle:
    return Obstacle(
        reason=f"it was moved, and the data have gone further meanwhile: {outcome.after.reason}",
        cure="run again when the load is done",
    )


def _move_batch(
    teller: Teller, server: Server, session: Session, batch: list[SetVal], tell: Callable[[Event], None]
) -> list[Obstacle | None]:
    """Move several sequences, each in a transaction of its own; return what stood in the way of each."""
    if len(batch) > 1 and all(setval.way is not None for setval in batch):
        tell(partial(teller.begin, batch[0].sequence.qualified_name, values=batch[0].calls))
        try:
            limits = session.limits
            session.run_apart(
                statement(str(setval.way), setval, limits, calls=setval.calls, by_function=server.has_state_function)
                for setval in batch
            )
            return [None] * len(batch)
        except Exception as error:
            if sqlstate(error) is None and not isinstance(error, DeadlineError):
                raise
            # Which of them it was is not known. Those before it have been moved, and to move them again does nothing.
    return [_move(teller, session, setval, tell) for setval in batch]


def _move(teller: Teller, session: Session, setval: SetVal, tell: Callable[[Event], None]) -> Obstacle | None:
    """Take the chosen way; return what stood in it."""
    tell(partial(teller.begin, setval.sequence.qualified_name, values=setval.calls))
    try:
        match setval.way:
            case Way.ADVANCE:
                return _advance(session, setval, lambda values: tell(partial(teller.passed, values)))
            case Way.LOCKED:
                _with_attempts(session, lambda: _set(session, setval))
                return None
            case Way.GUARDED:
                _set(session, setval)
                return None
            case None:
                return setval.obstacle
    except ConnectionFailedError:
        raise
    except DeadlineError:
        return out_of_time(session.limits)
    except Exception as error:
        if sqlstate(error) is None:
            raise
        return immovable(setval, error, session.limits)


def _set(session: Session, setval: SetVal) -> None:
    session.run_apart([statement(str(setval.way), setval, session.limits)])


def _with_attempts(session: Session, move: Callable[[], None]) -> None:
    """Ask for a lock a few times with pauses, in which everybody who queued behind it gets through."""
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            return move()
        except Exception as error:
            pause = LOCK_PAUSE * random.uniform(1, 1.5)  # noqa: S311 - jitter
            if sqlstate(error) != "55P03" or attempt == LOCK_ATTEMPTS or session.seconds_left <= pause:
                raise
            session.pause(pause)
    raise AssertionError("unreachable")


def _advance(session: Session, setval: SetVal, passed: Callable[[int], None]) -> Obstacle | None:
    """Call nextval() until a value reaches the target. Other sessions' calls count as well."""
    sequence, reached = setval.sequence, None
    left = setval.calls
    while reached is None or is_beyond(sequence, setval.target, reached):
        with session.transaction(read_only=False):
            rows = session.rows(statement("advance", setval, session.limits, calls=min(left, CALLS_AT_ONCE)))
        if not rows:
            reason = f"the definition of {sequence.qualified_name} has changed"
            return Obstacle(reason=reason, cure="run again", sqlstate="55000")
        reached = rows[0][0]
        left = calls_to_pass(sequence, reached + sequence.increment_by, setval.target)
        passed(setval.calls - left)
    return None


def statement(
    name: str,
    setval: SetVal,
    limits: Limits,
    *,
    calls: int = 1,
    begin: str = "",
    by_function: bool = False,
    database: str = "current_database()",
) -> str:
    """Return one of the moves as SQL. All that is filled in are integers and names quoted by the server.

    :param begin: What it does first, as SQL.
    :param by_function: Whether the sequence's state is looked up with pg_get_sequence_data().
    :param database: The database in which it may run, as SQL.
    """
    sequence = setval.sequence
    # By a name that may be another sequence's by now.
    by_name = f"(SELECT last_value, is_called FROM {sequence.qualified_name} WHERE tableoid = {sequence.oid})"
    return queries.get(name).format(
        oid=sequence.oid,
        begin=begin,
        state=f"pg_get_sequence_data({sequence.oid})" if by_function else by_name,
        quote=dollar_quote(sequence.name_literal, database),
        database=database,
        lock_timeout=milliseconds(limits.lock_timeout),
        name=sequence.name_literal,
        qualified_name=sequence.qualified_name,
        target=setval.target,
        increment_by=sequence.increment_by,
        cache_size=sequence.cache_size,
        min_value=sequence.min_value,
        max_value=sequence.max_value,
        furthest="max" if sequence.is_ascending else "min",
        calls=calls,
    )


def dollar_quote(*texts: str) -> str:
    """Return what a DO block's body can stand in that holds `texts`: a name must not end it."""
    quote = "$seqfix$"
    while any(quote in text for text in texts):
        quote = f"{quote[:-1]}_$"
    return quote
