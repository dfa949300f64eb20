"""Passwords are not said, wherever a message comes from."""

from __future__ import annotations

import re

#: What stands between a user and the last @ of a URI, and after password= up to its end.
_IN_A_URI = re.compile(r"([a-z][\w+.-]*:/*[^\s:@/]*:)[^\n]*@", re.IGNORECASE)
_AS_A_PARAMETER = re.compile(r"(password\s*=\s*)('(?:\\.|[^'\\])*'?|[^\s&]+)", re.IGNORECASE)

_known: set[str] = set()

#: Shorter ones would turn every word of a message into stars.
SHORTEST = 4


def remember(password: str) -> None:
    """Mask this from now on."""
    if len(password) >= SHORTEST:
        _known.add(password)


def masked(text: str) -> str:
    """Return the text without passwords."""
    for password in sorted(_known, key=len, reverse=True):
        text = text.replace(password, "***")
    return _AS_A_PARAMETER.sub(r"\1***", _IN_A_URI.sub(r"\1***@", text))
