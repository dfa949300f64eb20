"""In which order moves are made: those of one owner, however many and long, do not keep the others waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from operator import itemgetter

from airflow_seqfix.core.model import Finding, Move, Outcome, Way
from airflow_seqfix.core.model.quoted import Identifier

#: What a move costs beside its calls of nextval(), in such calls: a million takes about a second. A lock may have to be
#: waited for.
COST = {Way.ADVANCE: 50, Way.GUARDED: 50, Way.LOCKED: 100_000, None: 0}
#: What the first part of the moves costs each owner at most.
FIRST_PART = 1_000_000


def move_of(finding: Finding) -> Move:
    """Return the move of what is due."""
    assert finding.move is not None
    return finding.move


class Locks:
    """How many locks were waited for in vain, by owner of the sequences."""

    def __init__(self, most: int | None) -> None:
        #: How many of one owner are waited for; None: all.
        self._most = most
        self._met: Counter[Identifier] = Counter()

    def meet(self, finding: Finding) -> None:
        """Count a lock that was not had."""
        self._met[move_of(finding).sequence.owner] += 1

    def are_too_many(self, finding: Finding) -> bool:
        """Whether the move has to wait until others are made."""
        return self._most is not None and self._met[move_of(finding).sequence.owner] >= self._most


def parts(due: Mapping[int, Outcome], locked: Collection[int] = ()) -> list[dict[int, Outcome]]:
    """Return the moves in order, and in parts that are verified one after the other.

    Whose moves have cost less by then comes first; an owner's own come by their cost. The first part costs each owner a
    second or so, the first two four seconds, the first three sixteen.

    :param due: By OID of the sequence.
    :param locked: The OIDs of those that were locked before.
    """
    spent: Counter[Identifier] = Counter()
    turns: list[tuple[int, int]] = []
    costs = {oid: _cost(outcome) + (COST[Way.LOCKED] if oid in locked else 0) for oid, outcome in due.items()}
    for oid, cost in sorted(costs.items(), key=itemgetter(1)):
        owner = due[oid].before.sequence.owner
        spent[owner] += cost
        turns.append((spent[owner], oid))
    made: dict[int, dict[int, Outcome]] = {}
    for turn, oid in sorted(turns):
        made.setdefault(((turn // FIRST_PART).bit_length() + 1) // 2, {})[oid] = due[oid]
    return list(made.values())


def _cost(outcome: Outcome) -> int:
    move = move_of(outcome.after)
    return COST[move.way] + (move.calls if move.way is Way.ADVANCE else 0)
