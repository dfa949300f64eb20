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
from airflow_seqfix.core.model import Finding, Obstacle, Outcome, Verdict, Way
from airflow_seqfix.core.obstacles import gone, immovable, lost, not_verified, out_of_time, refused, set_back
from airflow_seqfix.core.progress import Progress, ProgressReporter, Watcher
from airflow_seqfix.core.repair.statements import statement
from airflow_seqfix.core.repair.turns import Locks, move_of, parts

#: How many values one transaction takes with nextval(): about 10 ms, and the step at which a run can be interrupted.
CALLS_AT_ONCE = 10_000
#: How many moves are sent in one round trip, each in a transaction of its own.
MOVES_AT_ONCE = 50
#: How often a lock is asked for, and how long to wait between, in seconds: everybody queues behind a waiting lock.
LOCK_ATTEMPTS = 3
LOCK_PAUSE = 1.0
#: How many locks are waited for at first among the sequences of one owner, before those of all others are moved.
LOCKS_OF_ONE_OWNER = 5
#: How many more moves to make after more explicit ids have arrived.
ROUNDS = 3
#: The SQLSTATE of a move that is refused because its sequence has changed, and of one whose lock somebody else holds.
CHANGED, LOCKED = "55000", "55P03"

#: Returns how sequences stand now, by OID, without those that are no longer there.
CheckAgain = Callable[[Collection[int]], Mapping[int, Finding]]

#: Of what was left until after the moves of others; nobody is told so.
NOT_ASKED = Obstacle(reason="", remedy="", sqlstate=LOCKED)
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

    What is left open of an outcome, `settled()` says: a look that was put off can still follow.

    :param due: Outcomes whose `after` has a `move` where there is something to do.
    :param rounds: How often a sequence is moved where more explicit ids have arrived meanwhile.
    """
    outcomes = {outcome.before.sequence.oid: outcome for outcome in due}
    for attempt in range(rounds):
        behind = {oid: outcome for oid, outcome in outcomes.items() if _is_to_move(outcome)}
        if not behind:
            break
        reporter = ProgressReporter(watcher, Progress(phase="move", total=len(behind), found=len(behind)))
        # Retry singly, so that the error names its sequence.
        outcomes |= _made(sessions, behind, check_again, reporter, alone=attempt > 0)
    return list(outcomes.values())


def _made(
    sessions: Sessions, behind: dict[int, Outcome], check_again: CheckAgain, reporter: ProgressReporter, *, alone: bool
) -> dict[int, Outcome]:
    """Make the moves, and verify them part by part.

    What is locked is tried again when all others are verified, and after a pause for the sessions that are queued
    behind the lock.
    """
    made: dict[int, Outcome] = {}
    locked: dict[int, Obstacle] = {}
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        before, locked = locked, {}
        locks = Locks(most=LOCKS_OF_ONE_OWNER if attempt == 1 else None)
        for part in parts(behind, locked=before):
            findings = [outcome.after for outcome in part.values()]
            errors = dict(zip(part, _move_all(sessions, findings, alone or attempt > 1, reporter, locks), strict=True))
            locked |= {oid: error for oid, error in errors.items() if error is not None and error.sqlstate == LOCKED}
            tried = errors.keys() - locked.keys()
            present = check_again(tried) if tried else {}
            made |= {oid: _moved(part[oid], errors[oid], present.get(oid)) for oid in tried}
        behind = {oid: behind[oid] for oid in locked}
        if not behind or attempt == LOCK_ATTEMPTS or not _has_paused(sessions.session):
            break
    reporter.end(done=len(behind))
    present = check_again(behind.keys()) if behind else {}
    for oid, outcome in behind.items():
        error = _not_reached(sessions.session) if locked[oid] is NOT_ASKED else locked[oid]
        made[oid] = _moved(outcome, error, present.get(oid))
    return made


def _not_reached(session: Session) -> Obstacle:
    return NOT_REACHED if session.is_lost else out_of_time(session.limits)


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


def looked_at(outcome: Outcome, after: Finding) -> Outcome:
    """Return the outcome of a move that was tried, with a later look in place of one that was put off."""
    return replace(_moved(replace(outcome, after=outcome.before), outcome.error, after), way=outcome.way)


def settled(outcome: Outcome) -> Outcome:
    """Return the outcome, with what is left open: the look after the move, or data that have gone further."""
    obstacle = outcome.after.measurement.obstacle
    if outcome.error is not None:
        return outcome
    if outcome.after.move is not None:
        return replace(outcome, error=_still_behind(outcome))
    return outcome if outcome.way is None or obstacle is None else replace(outcome, error=not_verified(obstacle))


def _still_behind(outcome: Outcome) -> Obstacle:
    return Obstacle(
        reason=f"it was moved, and the data have gone further meanwhile: {outcome.after.reason}",
        remedy="run again when the load is done",
    )


def _move_all(
    sessions: Sessions, behind: list[Finding], alone: bool, reporter: ProgressReporter, locks: Locks
) -> list[Obstacle | None]:
    """Make the moves, a batch in a round trip or each alone; return what stood in the way of each."""
    most = (1 if alone else MOVES_AT_ONCE, CALLS_AT_ONCE)
    batches = list(cut(behind, lambda finding: (1, move_of(finding).calls), most=most))
    errors: list[Obstacle | None] = []
    for found in sessions.map(partial(_move_batch, reporter, locks), batches):
        errors += found
        reporter.end(done=sum(error is None or error.sqlstate != LOCKED for error in found))
    return errors


def _has_paused(session: Session) -> bool:
    """Wait, and return whether there is time left, and a connection."""
    pause = LOCK_PAUSE * random.uniform(1, 1.5)  # noqa: S311 - jitter
    if session.is_lost or session.seconds_left <= pause:
        return False
    try:
        session.pause(pause)
    except Exception as error:
        if sqlstate(error) is None and not isinstance(error, ConnectionFailedError | DeadlineError):
            raise
        return False
    return True


def _move_batch(
    reporter: ProgressReporter, locks: Locks, session: Session, batch: list[Finding], tell: Callable[[Event], None]
) -> list[Obstacle | None]:
    """Move several sequences, each in a transaction of its own; return what stood in the way of each."""
    if session.is_lost:
        return [NOT_REACHED] * len(batch)
    if len(batch) > 1 and all(move_of(f).way is not None and not locks.are_too_many(f) for f in batch):
        first = move_of(batch[0])
        tell(partial(reporter.begin, first.sequence.qualified_name, values=first.calls))
        try:
            session.run_apart(
                statement(str(move_of(finding).way), finding, session.limits, calls=move_of(finding).calls)
                for finding in batch
            )
            return [None] * len(batch)
        except ConnectionFailedError:
            return [IN_FLIGHT] * len(batch)
        except Exception as error:
            if sqlstate(error) is None and not isinstance(error, DeadlineError):
                raise
            # It is unknown which one failed. Moving the others again does nothing.
    return [_move(reporter, locks, session, finding, tell) for finding in batch]


def _move(
    reporter: ProgressReporter, locks: Locks, session: Session, finding: Finding, tell: Callable[[Event], None]
) -> Obstacle | None:
    """Take the chosen way; return what stood in it."""
    if session.is_lost:
        return NOT_REACHED
    if locks.are_too_many(finding):
        return NOT_ASKED
    move = move_of(finding)
    tell(partial(reporter.begin, move.sequence.qualified_name, values=move.calls))
    try:
        match move.way:
            case Way.ADVANCE:
                return _advance(session, finding, lambda values: tell(partial(reporter.passed, values)))
            case Way.LOCKED | Way.GUARDED:
                session.run_apart([statement(str(move.way), finding, session.limits)])
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
        if sqlstate(error) == LOCKED:
            locks.meet(finding)
        return immovable(move, error, session.limits)


def _advance(session: Session, finding: Finding, passed: Callable[[int], None]) -> Obstacle | None:
    """Call nextval() until a value reaches the target. Other sessions' calls count as well."""
    move, reached = move_of(finding), None
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
