"""What libpq is told beside what was given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

#: In seconds; libpq would wait for as long as the network does.
CONNECT_TIMEOUT = 10


def bounded(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with an end to waiting for a connection, where nobody has said one.

    A service of libpq may say one that is not seen here.
    """
    is_said = {"PGCONNECT_TIMEOUT", "PGSERVICE"} & os.environ.keys() or {
        "connect_timeout",
        "service",
    } & parameters.keys()
    return dict(parameters) if is_said else {**parameters, "connect_timeout": CONNECT_TIMEOUT}
