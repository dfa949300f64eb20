"""Passwords are not said, wherever a message comes from: every face and every error masks with what stands here."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

#: What stands between a user and the last @ of a URI, between a name and an @, and after password= up to its end.
_IN_A_URI = re.compile(r"([a-z][\w+.-]*:/*[^\s:@/]*:)[^\n]*@", re.IGNORECASE)
_AFTER_A_NAME = re.compile(r"([^\s:@/=\"'(]+:)(?!//)[^\s@]+@")
_AS_A_PARAMETER = re.compile(
    r"((?:password|passwd|secret|token)[\"']?\s*[=:]\s*)('(?:\\.|[^'\\])*'?|\"[^\"]*\"|[^\s&]+)", re.IGNORECASE
)

#: What the fields of a connection are called that hold one.
_SECRET = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)

#: Addresses of IPv6, where a colon is no sign of a password.
_ADDRESS = re.compile(r"[0-9a-f:.,\[\]]*", re.IGNORECASE)

#: In the order in which they were last said.
_known: dict[str, None] = {}

#: How many are kept: a process that lives long may get another one for each connection, such as a token of IAM.
KEPT = 1_000

#: Shorter ones would turn every word of a message into stars.
SHORTEST = 4

#: What stands in the place of one.
MASK = "***"


def remember(*passwords: str | None) -> None:
    """Mask these from now on."""
    for password in passwords:
        if password and len(password) >= SHORTEST:
            for spelled in (password, quote(password, safe="", errors="surrogateescape")):
                _known.pop(spelled, None)
                _known[spelled] = None
    for oldest in [*_known][:-KEPT]:
        _known.pop(oldest, None)


def remember_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Mask from now on what the fields of a connection hold that are called like a secret."""
    remember(*(value for name, value in fields if isinstance(value, str) and _SECRET.search(name)))


def remember_connection(opened: Any) -> None:
    """Mask from now on the password that libpq used, from whatever file or environment it took it.

    :param opened: A connection, or the error of one that was not opened: psycopg2's does not tell.
    """
    used: Any = None
    # Of a closed connection nothing is told.
    with contextlib.suppress(Exception):
        used = getattr(getattr(opened, "pgconn", None), "password", None)
        used = used or getattr(getattr(opened, "info", None), "password", None)
    remember(used.decode(errors="replace") if isinstance(used, bytes) else used)


def masked(text: str) -> str:
    """Return the text without passwords."""
    for password in sorted(_known, key=len, reverse=True):
        text = text.replace(password, MASK)
    for pattern in (_IN_A_URI, _AFTER_A_NAME):
        text = pattern.sub(rf"\1{MASK}@", text)
    return _AS_A_PARAMETER.sub(rf"\1{MASK}", text)


def shown(value: object, *, may_hold: str = "") -> str:
    """Return a field of a connection as a message may show it: one with a password pasted into it is not.

    :param may_hold: Characters that belong into such a field all the same.
    """
    text = str(value)
    if _ADDRESS.fullmatch(text):
        return text
    if set(text) & (set(":@=?&\n") - set(may_hold)) or "://" in text:
        # A server repeats it.
        remember(text)
        return MASK
    return masked(text)
