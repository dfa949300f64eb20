"""Which values the options may have.

Light, and apart from the core that judges by it: a DAG file asks when it is parsed, and must not import the core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

#: Says what to give instead of a value; None: it is fine.
Rule = Callable[[Any], str | None]

#: The verdicts that can fail a gate, and those that do unless told otherwise.
CAN_FAIL = ("behind", "exhausted", "unknown", "skipped")
FAIL_ON = ("behind", "exhausted", "unknown")

#: Each connection keeps a bounded number of relations locked; so many still leave room in the server's lock table.
MOST_JOBS = 16


def one_of(*values: str) -> Rule:
    return lambda value: None if value in values else f"give one of {', '.join(values)}"


def optional(rule: Rule) -> Rule:
    return lambda value: None if value is None else rule(value)


def integer(least: int) -> Rule:
    return lambda value: None if type(value) is int and value >= least else f"give an integer of at least {least}"


def integer_from(least: int, most: int) -> Rule:
    return lambda value: (
        None if type(value) is int and least <= value <= most else f"give an integer from {least} to {most}"
    )


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "give True or False"


def percentage(value: Any) -> str | None:
    if not _is_number(value):
        return "give a percentage"
    return None if 0 < value <= 100 else "give a percentage above 0 and up to 100"


def seconds(value: Any) -> str | None:
    return None if _is_number(value) and value > 0 else "give a number of seconds greater than 0"


def seconds_or_zero(value: Any) -> str | None:
    return None if _is_number(value) and value >= 0 else "give a number of seconds of at least 0"


def brief(value: Any) -> str | None:
    if seconds(value) is None and value > 1:
        return (
            "at most 1 second, because every insert into the table waits behind a waiting lock; "
            "the lock is asked for again several times instead"
        )
    return seconds(value)


def verdicts(value: Any) -> str | None:
    is_list = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    return (
        None if is_list and all(verdict in CAN_FAIL for verdict in value) else f"give a list of {', '.join(CAN_FAIL)}"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


RULES: Mapping[str, Rule] = {
    "allow_empty": flag,
    "allow_skipped": flag,
    "margin": integer(0),
    "max_jump": integer(1),
    "accept_outlier": flag,
    "interleaved": flag,
    "foreign": flag,
    "lock": one_of("auto", "none", "sequence", "guarded"),
    "advance_up_to": integer(0),
    "unknown": one_of("fail", "warn"),
    "fail_on": optional(verdicts),
    "warn_used_pct": percentage,
    "fail_used_pct": optional(percentage),
    "min_remaining": optional(integer(1)),
    "lock_timeout": brief,
    "statement_timeout": seconds,
    "run_timeout": seconds,
    "wait_for_writers": seconds_or_zero,
    "jobs": integer_from(1, MOST_JOBS),
    "dry_run": flag,
    "retry_on_failure": flag,
    "on_drift": one_of("wait", "fail", "skip"),
    "deferrable": flag,
}


def refusal(options: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the first option that cannot be meant, and what to give; None: nothing is."""
    for name, value in options.items():
        said = RULES[name](value)
        if said is not None:
            return f"{name}={value!r}: {said}"
    if options.get("unknown") == "warn" and options.get("fail_on") is not None:
        return "fail_on and unknown both say whether what could not be read fails: leave unknown out"
    return None
