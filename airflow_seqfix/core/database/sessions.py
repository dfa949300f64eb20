"""The sessions of one run, which share the work: in the caller's thread, or in threads of their own."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

from airflow_seqfix.core.database.clock import Clock
from airflow_seqfix.core.database.connection import Connectable, Connection, borrowed, opened
from airflow_seqfix.core.database.room import MOST, connections_for
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.errors import ArgumentError, ConnectionFailedError, SeqfixError, printable
from airflow_seqfix.core.model import address
from airflow_seqfix.core.policy import Limits
from airflow_seqfix.options import AUTO, Jobs

#: How often connections that were lost are opened anew: a table whose code ends sessions takes two of them, one to find
#: out what it is, and one for the others; and of one owner a few are tried.
RENEWALS = 40
#: Seconds between checks whether a session has stopped.
PAUSE = 0.05
#: How many pieces of work that only read are given to a session at a time: while the server answers one of them, the
#: client writes the statement of the other, or takes its rows apart.
READS_AT_ONCE = 2

Item = TypeVar("Item")
Result = TypeVar("Result")
#: Something to do in the caller's thread; None: there is no more.
Event = Callable[[], None]
#: Does one piece of work, and hands over events in between.
Work = Callable[[Session, Item, Callable[[Event], None]], Result]


# How the work is shared, with two sessions and four items:
#
#     caller's thread                     threads of the executor, one a session, or READS_AT_ONCE
#     ---------------                     --------------------------------------------------------
#     map()   queues[0..3] = empty
#             submit _do() four times --> take a session that is idle      (idle: a queue of numbers)
#                                         take the next place of its own   (left[0] = 0, 2; left[1] = 1, 3),
#                                         or one of the longest list: who is idle steals
#             queues[0].get() waits   <-- events of item 0: tell(event), in order
#             event(); event(); ...   <-- None: item 0 is done, and its result is in `results`
#             yield results[0]            the session is idle again
#             queues[1].get() ...
#
# So events and results keep the order of the items, and whatever an event does, it does in the caller's thread. A
# failure is put into every queue, as an event that raises it, before the other sessions are stopped: whichever item the
# caller waits for, it gets the first failure, and not the errors of sessions that were stopped.


class Sessions:
    """Sessions on one server, with one deadline over all of them."""

    def __init__(self, session: Session, another: Callable[[], Session] | None = None, jobs: Jobs = 1) -> None:
        #: The session for work that is done once.
        self.session = session
        self._lost_error: ConnectionFailedError | None = None
        self._renewals = 0
        self._another = another
        self._jobs = jobs
        self._sessions = [session]
        self._executor: ThreadPoolExecutor | None = None
        #: The number of pieces of work in progress.
        self._begun = 0
        #: Of each item, the events that its work hands over.
        self._queues: list[SimpleQueue[Event | None]] = []
        self._failure: BaseException | None = None
        self._lock = threading.Lock()

    def map(self, work: Work[Item, Result], items: Iterable[Item], *, only_reads: bool = False) -> Iterator[Result]:
        """Do the work on each item, and yield the results in the order of the items.

        Events and results come in the same order, and in the caller's thread, however many sessions there are. Item i
        goes to session i mod jobs, whose server process has its relations open already; an idle session steals items
        of another.

        :param only_reads: Whether the work goes ahead of the caller with a single session as well.
        """
        items = list(items)
        jobs = self._jobs_for(len(items))
        if len(items) < 2 or (jobs < 2 and not only_reads):
            for item in items:
                yield work(self.session, item, lambda event: event())
            return
        executor = self._staff(jobs)
        count = len(self._sessions)
        idle: SimpleQueue[int] = SimpleQueue()
        for number in [*range(count)] * (READS_AT_ONCE if only_reads else 1):
            idle.put(number)
        left = [deque(range(first, len(items), count)) for first in range(count)]
        results: dict[int, Result] = {}
        self._queues = [SimpleQueue() for _ in items]
        for _ in items:
            # In the caller's context: what traces the statements of a connection looks there.
            executor.submit(contextvars.copy_context().run, self._do, work, items, left, idle, results)
        for place, events in enumerate(self._queues):
            while (event := events.get()) is not None:
                event()
            yield results.pop(place)

    @property
    def lost_error(self) -> ConnectionFailedError | None:
        """The error of the first lost connection."""
        return self._lost_error or next((s.lost_error for s in self._sessions if s.lost_error), None)

    def renew(self) -> bool:
        """Open another connection in place of each that was lost, and return whether there is one now.

        So many times in a run, and where a callable opens them.
        """
        lost = [place for place, session in enumerate(self._sessions) if session.is_lost]
        self._lost_error = self.lost_error
        if self._another is None or self._renewals == RENEWALS or not lost or self.session.seconds_left <= 0:
            return False
        self._renewals += 1
        try:
            for place in lost:
                self._sessions[place] = self._another()
        except ConnectionFailedError:
            return False
        self.session = self._sessions[0]
        return True

    def stop(self) -> None:
        """End what is still running, and return when it has ended."""
        if self._executor is None:
            return
        self._executor.shutdown(wait=False, cancel_futures=True)
        for session in self._sessions:
            session.stop()
        # By what the threads say, and not by the futures: the caller may have been interrupted before it was given
        # them.
        while self._begun:
            time.sleep(PAUSE)
        self._executor.shutdown()

    def _jobs_for(self, work: int) -> int:
        """Return how many sessions are to share so many pieces of work."""
        if self._jobs != AUTO:
            return min(self._jobs, work)
        if self._another is None:
            return 1
        return min(connections_for(work, self.session, already=len(self._sessions)), work)

    def _staff(self, wanted: int) -> ThreadPoolExecutor:
        """Open the sessions that are still missing, one after the other, as long as there is time."""
        while len(self._sessions) < wanted and self.session.seconds_left > 0:
            assert self._another is not None
            try:
                self._sessions.append(self._another())
            except SeqfixError:
                if self._jobs == AUTO:
                    # A role, a database or a pool has limits of its own.
                    self._jobs = len(self._sessions)
                    break
                if self.session.seconds_left > 0:
                    raise
        if self._executor is None:
            most = MOST if self._jobs == AUTO else self._jobs
            self._executor = ThreadPoolExecutor(most * READS_AT_ONCE, thread_name_prefix="seqfix")
        return self._executor

    def _do(
        self,
        work: Work[Item, Result],
        items: list[Item],
        left: list[deque[int]],
        idle: SimpleQueue[int],
        results: dict[int, Result],
    ) -> None:
        """Do one piece of work that is left.

        :param left: For each session the places of the items that it is to do.
        :param idle: The numbers of the sessions that may take another piece.
        """
        with self._lock:
            self._begun += 1
        number = idle.get()
        with self._lock:
            # Another session's items, once its own are done.
            place = (left[number] or max(left, key=len)).popleft()
        events = self._queues[place]
        try:
            results[place] = work(self._sessions[number], items[place], events.put)
        except BaseException as error:
            self._fail(error)
        finally:
            idle.put(number)
            events.put(None)
            with self._lock:
                self._begun -= 1

    def _fail(self, error: BaseException) -> None:
        """Queue the first failure for the caller, then cancel the other sessions."""

        def give_up() -> None:
            raise error

        with self._lock:
            if self._failure is not None:
                return
            self._failure = error
            for events in self._queues:
                events.put(give_up)
        for session in self._sessions:
            session.stop()


@contextlib.contextmanager
def open_sessions(
    source: Connectable,
    limits: Limits,
    *,
    application_name: str = "seqfix",
    jobs: Jobs = 1,
    writes: bool = False,
    foreign: bool = False,
    deadline: float | None = None,
) -> Iterator[Sessions]:
    """Open or borrow the connections of a run, and return them unchanged.

    :param writes: Whether the run may write: a connection that was made read-only is refused then.
    :param foreign: Whether foreign tables may be read.
    :param deadline: When it has to be over, by `time.monotonic()`; None: `run_timeout` from now.
    :raises ArgumentError: when the connection is inside a transaction, or several are needed and one is given.
    :raises ArgumentTypeError: when it is not a connection, or the callable does not return one.
    :raises ConnectionFailedError: when a callable cannot open its connection.
    """
    if jobs not in (1, AUTO) and not callable(source):
        raise ArgumentError(
            f"jobs={jobs} opens {jobs} connections: pass a callable that opens one, and not an open one"
        )
    with contextlib.ExitStack() as stack:
        opener = _Opener(
            source=source,
            limits=limits,
            clock=stack.enter_context(contextlib.closing(Clock())),
            stack=stack,
            application_name=application_name,
            jobs=jobs,
            writes=writes,
            foreign=foreign,
            deadline=deadline,
        )
        first = opener.open()
        sessions = Sessions(first, opener.open if callable(source) else None, jobs)
        try:
            yield sessions
        except SeqfixError as error:
            error.where = error.where or f"{printable(first.database)} on {address(*first.endpoint)}"
            raise
        finally:
            sessions.stop()


@dataclass(slots=True, kw_only=True)
class _Opener:
    """Opens the sessions of a run, on connections that are given back when its stack is closed."""

    source: Connectable
    limits: Limits
    clock: Clock
    stack: contextlib.ExitStack
    application_name: str
    jobs: Jobs
    writes: bool
    foreign: bool
    #: That of the run, from the first session on.
    deadline: float | None
    opened: list[Connection] = field(default_factory=list)

    def open(self) -> Session:
        connection = self._connect(self.source) if callable(self.source) else self.source
        self.stack.enter_context(borrowed(connection, writes=self.writes))
        session = Session(
            connection,
            self.limits,
            clock=self.clock,
            application_name=self.application_name,
            deadline=self.deadline,
            foreign=self.foreign,
        )
        self.deadline = session.deadline
        return self.stack.enter_context(contextlib.closing(session))

    def _connect(self, connect: Callable[[], Any]) -> Connection:
        seconds = None if self.deadline is None else self.deadline - time.monotonic()
        connection = self.stack.enter_context(opened(connect, seconds=seconds))
        if any(connection is other for other in self.opened):
            raise ArgumentError(f"jobs={self.jobs}: the callable has returned the same connection twice")
        self.opened.append(connection)
        return connection
