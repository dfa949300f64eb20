"""Texts with names in double quotes, in which a dot, a comma or an equals sign is a letter like others."""

from __future__ import annotations

import re

#: A quoted part, or one character; a quote that nothing closes is one as well.
_TOKEN = re.compile(r'"(?:[^"]|"")*"|.', re.DOTALL)


def split(text: str, separator: str) -> list[str]:
    """Split a text where a separator of one character stands outside double quotes."""
    parts = [""]
    for token in _TOKEN.findall(text):
        if token == separator:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def unquoted(text: str) -> str:
    """Return what stands outside double quotes."""
    return "".join(token for token in _TOKEN.findall(text) if len(token) == 1)
