"""The recording of a terminal on docs/tour.md: python -m tests.support.recording writes docs/pictures/session.svg

Each command runs on a terminal, on the shop of example_dags/. What it shows, colours included, becomes text in an SVG,
which loads nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.support import ROOT
from tests.support.cluster import running, wheel_binaries
from tests.support.command_page import as_shown
from tests.support.pages import load_shop
from tests.support.servers import WHEELS, Server, database_on
from tests.support.terminal import Terminal, terminal

PICTURE = ROOT / "docs" / "pictures" / "session.svg"

COLUMNS = 100

#: Everything but colours: a title, cursor movements.
NO_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07]*\x07|\r")

#: Without the fonts that the library's own format fetches.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<title>A session: seqfix check, seqfix fix, seqfix check</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def _yes(shown: Terminal) -> None:
    shown.wait_for("[y/N]")
    shown.type("y\n")


#: What somebody types, and how it is answered.
COMMANDS: tuple[tuple[tuple[str, ...], Callable[[Terminal], None]], ...] = (
    (("check", "customers"), lambda shown: None),
    (("fix",), _yes),
    (("check", "--all"), lambda shown: None),
)


def record(server: Server) -> str:
    """Run the commands one after the other; return what the terminal has shown, with its colours."""
    with database_on(server) as database:
        with database.connect() as conn:
            load_shop(conn)
        parts = []
        for words, answer in COMMANDS:
            command, *rest = words
            with terminal(command, "-d", database.dsn, *rest, columns=COLUMNS) as shown:
                answer(shown)
                shown.end()
            typed = f"\x1b[1m$ seqfix {command} -d shop {' '.join(rest)}".rstrip() + "\x1b[0m\n"
            parts.append(typed + as_shown(NO_COLOURS.sub("", shown.raw), database).strip("\n") + "\n")
        return "\n".join(parts)


def svg(recorded: str) -> str:
    """Return the picture of what a terminal has shown."""
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(recorded), soft_wrap=False)
    drawn = console.export_svg(title="seqfix", theme=MONOKAI, code_format=FORMAT, unique_id="session")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def main() -> None:
    with running(wheel_binaries(next(iter(WHEELS.values())))) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
        PICTURE.write_text(svg(record(server)), encoding="utf-8")


if __name__ == "__main__":
    main()
