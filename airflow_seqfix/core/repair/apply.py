"""Moves sequences forward, one short transaction each, and looks afterwards whether it worked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import Event, Sessions
from airflow_seqfix.core.errors import LOST, ConnectionFailedError, DeadlineError, sqlstate
from airflow_seqfix.core.judge.arithmetic import calls_to_pass, is_beyond
from airflow_seqfix.core.judge.verdict import judge
from airflow_seqfix.core.measure.measure import measure
from airflow_seqfix.core.measure.partitions import cut
from airflow_seqfix.core.model import Measurement, Move, Obstacle, Outcome, Server, Verdict, Way
from airflow_seqfix.core.obstacles import immovable, lost, out_of_time
from airflow_seqfix.core.policy import Policy
from airflow_seqfix.core.progress import Progress, ProgressReporter, Watcher
from airflow_seqfix.core.repair.statements import statement

#: How many values one transaction takes with nextval(): about 10 ms, and the step at which a run can be interrupted.
CALLS_AT_ONCE = 10_000
#: How many moves are sent in one round trip, each in a transaction of its own.
MOVES_AT_ONCE = 50
#: How often a lock is asked for, and how long to wait between, in seconds: everybody queues behind a waiting lock.
LOCK_ATTEMPTS = 3
LOCK_PAUSE = 1.0
#: How often to move again because more explicit ids have arrived meanwhile.
ROUNDS = 3

#: What a lost connection leaves open.
NOT_REACHED = lost("the connection was lost before it was moved")
IN_FLIGHT = lost("the connection was lost while it was moved, and whether it was is not known")
NOT_VERIFIED = lost("it was moved, and the connection was lost before it was read again")


def apply(
    sessions: Sessions,
    server: Server,
    due: list[Outcome],
    policy: Policy,
    *,
    rounds: int = ROUNDS,
    watcher: Watcher | None = None,
) -> list[Outcome]:
    """Move each sequence that is due, and verify it. One failure never stops the others.

    :param due: Outcomes whose `after` has a `move` where there is something to do.
    :param rounds: How often a sequence is moved where more explicit ids have arrived meanwhile.
    """
    outcomes = {outcome.before.sequence.oid: outcome for outcome in due}
    for attempt in range(rounds):
        behind = [o for o in outcomes.values() if o.error is None and not o.verified and o.after.move is not None]
        if not behind:
            break
        reporter = ProgressReporter(watcher, Progress(phase="move", total=len(behind), found=len(behind)))
        moves = [outcome.after.move for outcome in behind if outcome.after.move is not None]
        # What has not moved with others is moved by itself, which says why it does not.
        most = (1 if attempt else MOVES_AT_ONCE, CALLS_AT_ONCE)
        batches = list(cut(moves, lambda move: (1, move.calls), most=most))
        for batch, errors in zip(batches, sessions.map(partial(_move_batch, reporter, server), batches), strict=True):
            for move, error in zip(batch, errors, strict=True):
                oid = move.sequence.oid
                outcomes[oid] = replace(outcomes[oid], way=move.way, error=error)
            reporter.end(done=len(batch))
        _verify(sessions, server, outcomes, [o.before.sequence.oid for o in behind], policy, watcher)
    return [
        outcome if outcome.after.move is None or outcome.error else replace(outcome, error=_still_behind(outcome))
        for outcome in outcomes.values()
    ]


def _verify(
    sessions: Sessions,
    server: Server,
    outcomes: dict[int, Outcome],
    oids: list[int],
    policy: Policy,
    watcher: Watcher | None,
) -> None:
    sequences = [outcomes[oid].before.sequence for oid in oids]
    reporter = ProgressReporter(watcher, Progress(phase="read", total=len(sequences)))
    for chunk in measure(
        sessions, server, sequences, on_steps=policy.interleaved, max_jump=policy.max_jump, begin=reporter.begin
    ):
        found = 0
        for measurement in chunk:
            oid = measurement.sequence.oid
            if writers := outcomes[oid].before.measurement.open_writers:
                measurement = replace(measurement, open_writers=writers)
            after = judge(measurement, policy, server)
            verified = after.verdict is Verdict.IN_SYNC
            outcomes[oid] = replace(
                outcomes[oid],
                after=after,
                verified=verified,
                error=_now_known(outcomes[oid].error, measurement, verified),
            )
            found += after.is_not_in_sync
        reporter.end(done=len(chunk), found=found)


def _now_known(error: Obstacle | None, measurement: Measurement, verified: bool) -> Obstacle | None:
    """Return what stood in the way of a move, after a look at where the sequence stands."""
    if measurement.obstacle is not None and measurement.obstacle.sqlstate == LOST:
        return error or NOT_VERIFIED
    if error is IN_FLIGHT:
        return None if verified else NOT_REACHED
    return error


def _still_behind(outcome: Outcome) -> Obstacle:
    return Obstacle(
        reason=f"it was moved, and the data have gone further meanwhile: {outcome.after.reason}",
        remedy="run again when the load is done",
    )


def _move_batch(
    reporter: ProgressReporter, server: Server, session: Session, batch: list[Move], tell: Callable[[Event], None]
) -> list[Obstacle | None]:
    """Move several sequences, each in a transaction of its own; return what stood in the way of each."""
    if session.is_lost:
        return [NOT_REACHED] * len(batch)
    if len(batch) > 1 and all(move.way is not None for move in batch):
        tell(partial(reporter.begin, batch[0].sequence.qualified_name, values=batch[0].calls))
        try:
            limits = session.limits
            session.run_apart(
                statement(str(move.way), move, limits, calls=move.calls, by_function=server.has_state_function)
                for move in batch
            )
            return [None] * len(batch)
        except ConnectionFailedError:
            return [IN_FLIGHT] * len(batch)
        except Exception as error:
            if sqlstate(error) is None and not isinstance(error, DeadlineError):
                raise
            # Which of them it was is not known. Those before it have been moved, and to move them again does nothing.
    return [_move(reporter, session, move, tell) for move in batch]


def _move(reporter: ProgressReporter, session: Session, move: Move, tell: Callable[[Event], None]) -> Obstacle | None:
    """Take the chosen way; return what stood in it."""
    if session.is_lost:
        return NOT_REACHED
    tell(partial(reporter.begin, move.sequence.qualified_name, values=move.calls))
    try:
        match move.way:
            case Way.ADVANCE:
                return _advance(session, move, lambda values: tell(partial(reporter.passed, values)))
            case Way.LOCKED:
                _with_attempts(session, lambda: _set(session, move))
                return None
            case Way.GUARDED:
                _set(session, move)
                return None
            case None:
                return move.obstacle
    except ConnectionFailedError:
        return IN_FLIGHT
    except DeadlineError:
        return out_of_time(session.limits)
    except Exception as error:
        if sqlstate(error) is None:
            raise
        return immovable(move, error, session.limits)


def _set(session: Session, move: Move) -> None:
    session.run_apart([statement(str(move.way), move, session.limits)])


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


def _advance(session: Session, move: Move, passed: Callable[[int], None]) -> Obstacle | None:
    """Call nextval() until a value reaches the target. Other sessions' calls count as well."""
    sequence, reached = move.sequence, None
    left = move.calls
    while reached is None or is_beyond(sequence, move.target, reached):
        with session.transaction(read_only=False):
            rows = session.rows(statement("advance", move, session.limits, calls=min(left, CALLS_AT_ONCE)), value=int)
        if not rows:
            reason = f"the definition of {sequence.qualified_name} has changed"
            return Obstacle(reason=reason, remedy="run again", sqlstate="55000")
        reached = rows[0][0]
        left = calls_to_pass(sequence, reached + sequence.increment_by, move.target)
        passed(move.calls - left)
    return None
