"""Moves sequences forward, each in a short transaction, and verifies the result."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import Event, Sessions
from airflow_seqfix.core.errors import ConnectionFailedError, DeadlineError, sqlstate
from airflow_seqfix.core.judge.arithmetic import calls_to_pass, is_beyond
from airflow_seqfix.core.measure.partitions import cut
from airflow_seqfix.core.model import Finding, Move, Obstacle, Outcome, Verdict, Way
from airflow_seqfix.core.obstacles import gone, immovable, lost, out_of_time, refused, set_back
from airflow_seqfix.core.progress import Progress, ProgressReporter, Watcher
from airflow_seqfix.core.repair.statements import statement

#: How many values one transaction takes with nextval(): about 10 ms, and the step at which a run can be interrupted.
CALLS_AT_ONCE = 10_000
#: How many moves are sent in one round trip, each in a transaction of its own.
MOVES_AT_ONCE = 50
#: A move by so many values comes last, after the others have been verified: it takes about a second per million.
LONG = 1_000_000
#: How often a lock is asked for, and how long to wait between, in seconds: everybody queues behind a waiting lock.
LOCK_ATTEMPTS = 3
LOCK_PAUSE = 1.0
#: How many more moves to make after more explicit ids have arrived.
ROUNDS = 3
#: The SQLSTATE of a move that is refused because its sequence has changed.
CHANGED = "55000"

#: Returns how sequences stand now, by OID, without those that are no longer there.
CheckAgain = Callable[[Collection[int]], Mapping[int, Finding]]

#: Obstacles after a lost connection.
NOT_REACHED = lost("the connection was lost before it was moved")
IN_FLIGHT = lost("the connection was lost while it was moved, and it is not known whether it was moved")
PARTLY = lost("the connection was lost after it was moved part of the way")
NOT_VERIFIED = lost("it was moved, and the connection was lost before it was read again")


def apply(
    sessions: Sessions,
    due: list[Outcome],
    check_again: CheckAgain,
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
        behind = {oid: outcome for oid, outcome in outcomes.items() if _is_to_move(outcome)}
        if not behind:
            break
        for part in _short_before_long(behind):
            # Retry singly, so that the error names its sequence.
            errors = _move_all(sessions, [outcome.after for outcome in part.values()], attempt > 0, watcher)
            present = check_again(part.keys())
            for (oid, outcome), error in zip(part.items(), errors, strict=True):
                outcomes[oid] = _moved(outcome, error, present.get(oid))
    return [
        outcome if outcome.after.move is None or outcome.error else replace(outcome, error=_still_behind(outcome))
        for outcome in outcomes.values()
    ]


def _short_before_long(behind: dict[int, Outcome]) -> list[dict[int, Outcome]]:
    """Return the moves that take seconds at most, and then the others, which may take all the time that there is."""
    is_long = {
        oid: _move_of(outcome.after).calls > LONG and _move_of(outcome.after).way is Way.ADVANCE
        for oid, outcome in behind.items()
    }
    parts = [{oid: outcome for oid, outcome in behind.items() if is_long[oid] is wanted} for wanted in (False, True)]
    return [part for part in parts if part]


def _is_to_move(outcome: Outcome) -> bool:
    # A move that was refused because something had changed is made where it is still due after another look.
    is_open = outcome.error is None or outcome.error.sqlstate == CHANGED
    return is_open and not outcome.verified and outcome.after.move is not None


def _moved(outcome: Outcome, error: Obstacle | None, after: Finding | None) -> Outcome:
    """Return what became of a sequence, with what was found when it was read again."""
    if after is None:
        return replace(outcome, error=error or gone(outcome.before.sequence), after=replace(outcome.after, move=None))
    verified = after.verdict is Verdict.IN_SYNC
    error = _now_known(error, outcome.after, after)
    if error is None and not verified and not _has_moved(outcome.after, after):
        error = refused(outcome.before.sequence)
    if error is not None and error.sqlstate == CHANGED:
        # Where it is in sync now it was not due any more, and there was nothing to move.
        return replace(outcome, error=None if verified else error, after=after, verified=verified)
    assert outcome.after.move is not None
    return replace(outcome, way=outcome.after.move.way, error=error, after=after, verified=verified)


def _has_moved(before: Finding, after: Finding) -> bool:
    # What could not be read may have.
    is_read = after.measurement.obstacle is None
    return not is_read or after.measurement.next_value not in (None, before.measurement.next_value)


def _now_known(error: Obstacle | None, before: Finding, after: Finding) -> Obstacle | None:
    """Return what stood in the way of a move, after a look at where the sequence stands."""
    if after.measurement.obstacle is not None and after.measurement.obstacle.is_lost:
        return error or NOT_VERIFIED
    if error is not IN_FLIGHT or after.measurement.obstacle is not None:
        return error
    if after.verdict is Verdict.IN_SYNC:
        return None
    return PARTLY if _has_moved(before, after) else NOT_REACHED


def _still_behind(outcome: Outcome) -> Obstacle:
    return Obstacle(
        reason=f"it was moved, and the data have gone further meanwhile: {outcome.after.reason}",
        remedy="run again when the load is done",
    )


def _move_all(sessions: Sessions, behind: list[Finding], alone: bool, watcher: Watcher | None) -> list[Obstacle | None]:
    """Make the moves, a batch in a round trip or each alone; return what stood in the way of each."""
    reporter = ProgressReporter(watcher, Progress(phase="move", total=len(behind), found=len(behind)))
    most = (1 if alone else MOVES_AT_ONCE, CALLS_AT_ONCE)
    batches = list(cut(behind, lambda finding: (1, _move_of(finding).calls), most=most))
    errors: list[Obstacle | None] = []
    for done in sessions.map(partial(_move_batch, reporter), batches):
        errors += done
        reporter.end(done=len(done))
    return errors


def _move_of(finding: Finding) -> Move:
    assert finding.move is not None
    return finding.move


def _move_batch(
    reporter: ProgressReporter, session: Session, batch: list[Finding], tell: Callable[[Event], None]
) -> list[Obstacle | None]:
    """Move several sequences, each in a transaction of its own; return what stood in the way of each."""
    if session.is_lost:
        return [NOT_REACHED] * len(batch)
    if len(batch) > 1 and all(_move_of(finding).way is not None for finding in batch):
        first = _move_of(batch[0])
        tell(partial(reporter.begin, first.sequence.qualified_name, values=first.calls))
        try:
            session.run_apart(
                statement(str(_move_of(finding).way), finding, session.limits, calls=_move_of(finding).calls)
                for finding in batch
            )
            return [None] * len(batch)
        except ConnectionFailedError:
            return [IN_FLIGHT] * len(batch)
        except Exception as error:
            if sqlstate(error) is None and not isinstance(error, DeadlineError):
                raise
            # It is unknown which one failed. Moving the others again does nothing.
    return [_move(reporter, session, finding, tell) for finding in batch]


def _move(
    reporter: ProgressReporter, session: Session, finding: Finding, tell: Callable[[Event], None]
) -> Obstacle | None:
    """Take the chosen way; return what stood in it."""
    if session.is_lost:
        return NOT_REACHED
    move = _move_of(finding)
    tell(partial(reporter.begin, move.sequence.qualified_name, values=move.calls))
    try:
        match move.way:
            case Way.ADVANCE:
                return _advance(session, finding, lambda values: tell(partial(reporter.passed, values)))
            case Way.LOCKED:
                _with_attempts(session, lambda: _set(session, finding))
                return None
            case Way.GUARDED:
                _set(session, finding)
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


def _set(session: Session, finding: Finding) -> None:
    session.run_apart([statement(str(_move_of(finding).way), finding, session.limits)])


def _with_attempts(session: Session, move: Callable[[], None]) -> None:
    """Request a lock a few times with pauses, in which the sessions queued behind it proceed."""
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            return move()
        except Exception as error:
            pause = LOCK_PAUSE * random.uniform(1, 1.5)  # noqa: S311 - jitter
            if sqlstate(error) != "55P03" or attempt == LOCK_ATTEMPTS or session.seconds_left <= pause:
                raise
            session.pause(pause)
    raise AssertionError("unreachable")


def _advance(session: Session, finding: Finding, passed: Callable[[int], None]) -> Obstacle | None:
    """Call nextval() until a value reaches the target. Other sessions' calls count as well."""
    move, reached = _move_of(finding), None
    sequence, left = move.sequence, move.calls
    while reached is None or is_beyond(sequence, move.target, reached):
        with session.transaction(read_only=False):
            calls = min(left, CALLS_AT_ONCE)
            advance = statement("advance", finding, session.limits, calls=calls)
            rows = session.rows(advance, reached=int | None, is_same=bool, is_set_back=bool | None)
        if not rows or not rows[0][1]:
            return refused(sequence)
        reached, _, is_set_back = rows[0]
        if is_set_back:
            return set_back(sequence)
        left = calls_to_pass(sequence, reached + sequence.increment_by, move.target)
        passed(max(0, move.calls - left))
        # The next chunk goes on from here, or is refused.
        measured = finding.measurement
        if measured.last_value is None or is_beyond(sequence, reached, measured.last_value):
            finding = replace(finding, measurement=replace(measured, last_value=reached, is_called=True))
    return None
