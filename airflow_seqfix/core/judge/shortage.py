"""When too few values are left, and when that is because of free ones that were passed. Pure."""

from __future__ import annotations

from airflow_seqfix.core.judge.arithmetic import used_share, values_of
from airflow_seqfix.core.model import SequenceInfo
from airflow_seqfix.core.policy import Policy

#: A sequence is nearly used up with less than one in so many values of its range left.
NEARLY = 100


def too_little(sequence: SequenceInfo, left: int, policy: Policy) -> str | None:
    """Say how few values are left; None: enough."""
    if left == 0:
        return "no value that fits"
    shortage = _shortage(sequence, left, policy)
    if shortage is None and left * NEARLY < values_of(sequence):
        return f"{left:,} of {values_of(sequence):,} values"
    return shortage


def outweighs(free: int, sequence: SequenceInfo, left: int, policy: Policy) -> bool:
    """Whether too few values are left, and free ones that were passed are more, or would have been enough."""
    if too_little(sequence, left, policy) is None:
        return False
    return free > left or bool(_shortage(sequence, left, policy) and not _shortage(sequence, left + free, policy))


def _shortage(sequence: SequenceInfo, left: int, policy: Policy) -> str | None:
    """Name the threshold that a sequence with so many values left has passed."""
    if policy.min_remaining is not None and left < policy.min_remaining:
        return f"{left:,} values, and min_remaining is {policy.min_remaining:,}"
    used_pct = round(100 * used_share(sequence, left), 2)
    if policy.fail_used_pct is not None and used_pct >= policy.fail_used_pct:
        return f"{left:,} values with {used_pct} % used, and fail_used_pct is {policy.fail_used_pct:g}"
    return None
