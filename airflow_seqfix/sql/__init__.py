"""The script for those who have psql and no Python: `reset_sequences.sql`, put together from the core's own queries."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from importlib import resources

from airflow_seqfix import __version__
from airflow_seqfix.core import queries
from airflow_seqfix.core.database.opening import milliseconds
from airflow_seqfix.core.discover.catalog import OLDEST_SERVER, OTHER_PRODUCTS
from airflow_seqfix.core.judge.outliers import LIFETIME, LOOKED_AT, MOST, NEAR, SHARE, STANDS_OUT
from airflow_seqfix.core.judge.remedies import PASTE_UP_TO
from airflow_seqfix.core.judge.rivals import NEAR_RIVAL
from airflow_seqfix.core.judge.shortage import NEARLY
from airflow_seqfix.core.judge.uncompared import FEEDS
from airflow_seqfix.core.judge.verdict import LOGGED_AHEAD
from airflow_seqfix.core.measure.chunks import SLOW_ROWS
from airflow_seqfix.core.measure.column_sql import FLOATS, INTEGER
from airflow_seqfix.core.measure.partitions import RELATIONS_AT_ONCE
from airflow_seqfix.core.measure.together import REWRITTEN
from airflow_seqfix.core.measure.validation import READS
from airflow_seqfix.core.model import DRAWN_AS_IS
from airflow_seqfix.core.model.column import NUMBERS
from airflow_seqfix.core.obstacles import restless
from airflow_seqfix.core.policy import Limits, Policy
from airflow_seqfix.core.repair.apply import CALLS_AT_ONCE, LOCK_ATTEMPTS, ROUNDS

#: What the first lines of the script say of its use.
_FIXES = {
    "usage": """\
--     psql -X -f reset_sequences.sql 'dbname=shop'                   check and repair
--     psql -X -v mode=check -f reset_sequences.sql 'dbname=shop'     only check, in READ ONLY transactions""",
    "mode_option": "--     mode            fix or check                                                        [fix]",
    "only_checks": "off",
}
_CHECKS = {
    "usage": """\
--     psql -X -f check_sequences.sql 'dbname=shop'     check; this script cannot write, whatever its options say""",
    "mode_option": "--     mode            check, and nothing else                                             [check]",
    "only_checks": "on",
}


def reset_sequences(*, check: bool = False) -> str:
    """Return the script.

    :param check: Return one that only checks, and cannot write.
    """
    template = (resources.files(__name__) / "reset_sequences.sql").read_text(encoding="utf-8")
    parts = _parts() | (_CHECKS if check else _FIXES)
    # A part takes the place of its line, as far to the right as that stood.
    script = re.sub(
        r"^( *)@(\w+)@$", lambda found: textwrap.indent(parts[found[2]], found[1]), template, flags=re.MULTILINE
    )
    return re.sub(r"@(\w+)@", lambda found: parts[found[1]], script)


def _parts() -> dict[str, str]:
    """Return what the template leaves open, by name."""
    return {name: str(part).strip() for name, part in (_statements() | _values()).items()}


def _statements() -> dict[str, object]:
    """Return the core's queries, as they run in the script's PL/pgSQL."""
    # By the names of the script's variables: columns of the same name come first.
    sequence = {
        "oid": "sequence_oid",
        "columns": "jsonb_to_recordset(s.readable) AS v (table_oid oid, column_number smallint, version text)",
        "last_value": "stood_at",
        "is_called": "was_called",
        "begin": "",
        "name": "s.qualified_name",
        "shown": "s.qualified_name",
        "database": "current_database()",
        "lock_timeout": milliseconds(Limits().lock_timeout),
        "target": "target",
        "direction": "direction",
        "increment_by": "s.increment_by",
        "cache_size": "s.cache_size",
        "min_value": "s.min_value",
        "max_value": "s.max_value",
    }
    locked = queries.get("locked")
    # A name cannot be filled in there: the state is looked at in a statement of its own, by @state_look@.
    looked_at = "(VALUES (reached, is_called)) AS s (last_value, is_called)"
    advance = queries.get("advance").replace(queries.get("parts/state"), looked_at)
    return {
        "sequences": queries.get("sequences"),
        "columns": queries.get("columns"),
        "triggers": queries.get("triggers"),
        "closest": queries.get("parts/closest"),
        "partitions": queries.get("partitions").format(
            table_oid="(r.value ->> 'table_oid')", column_number="(r.value ->> 'column_number')::smallint"
        ),
        # A DO block is a block, which stands in a larger one as well.
        "locked": locked.replace("DO {quote}\n", "").replace("END\n{quote}", "END;").format(**sequence),
        "hold": queries.get("hold").format(**sequence).replace("SELECT", "PERFORM", 1),
        "state_look": queries.get("parts/state_look").format(**sequence),
        "advance": advance.format(**sequence, calls=f"least(calls, {CALLS_AT_ONCE})"),
        "versions": queries.get("versions"),
    }


def _values() -> dict[str, object]:
    """Return the numbers, names and sentences that the script has in common with the core."""
    policy, limits = Policy(), Limits()
    return {
        "version": __version__,
        "reads": READS,
        "restless": restless().reason,
        "restless_cure": restless().remedy,
        "calls_at_once": CALLS_AT_ONCE,
        "drawn_as_is": _literals(map(str, DRAWN_AS_IS)),
        "uncompared": _literals(map(str, FEEDS)),
        "numbers": _literals(NUMBERS),
        "floats": _literals(FLOATS),
        "integer": INTEGER,
        "other_products": "|".join(mark for mark, *_ in OTHER_PRODUCTS),
        "oldest_server": OLDEST_SERVER,
        "max_jump": policy.max_jump,
        "looked_at": LOOKED_AT,
        "most": MOST,
        "stands_out": STANDS_OUT,
        "share": SHARE,
        "near": NEAR,
        "near_rival": NEAR_RIVAL,
        "lifetime": LIFETIME,
        "nearly": NEARLY,
        "advance_up_to": policy.advance_up_to,
        "lock_timeout": milliseconds(limits.lock_timeout),
        "run_timeout": round(limits.run_timeout),
        "slow_rows": SLOW_ROWS,
        "relations_at_once": RELATIONS_AT_ONCE,
        "rewritten": REWRITTEN,
        "logged_ahead": LOGGED_AHEAD,
        "paste_up_to": PASTE_UP_TO,
        "lock_attempts": LOCK_ATTEMPTS,
        "rounds": ROUNDS,
    }


def _literals(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))
