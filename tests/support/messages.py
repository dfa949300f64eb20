"""The sentences that the code can say, read from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT

PACKAGE = ROOT / "airflow_seqfix"

#: Their words are those of a report, of a demonstration or for other tools, and not messages about them.
NOT_READ = (
    "render",
    "example_dags",
    "demo.py",
    "get_provider_info.py",
    "lineage.py",
    "metrics.py",
    "assets.py",
    "server_settings.py",
)

#: Much of what these say is help, questions and progress: what they raise counts.
RAISE_ONLY = ("cli", "sql")

#: Statements of SQL, and their parts.
_SQL = re.compile(
    r"\s*(SELECT|BEGIN|COMMIT|SET|UNION|FROM|WHERE|DO|RESET|EXPLAIN|WITH|LEFT|JOIN|AND|ORDER|LIMIT)\b|%s|\(SELECT"
)
#: What is filled in, or varies.
HOLE = "…"


def errors_in_sql() -> Iterator[tuple[str, str]]:
    """Yield each error that a statement raises by itself, with its file."""
    for path in sorted(PACKAGE.rglob("*.sql")):
        if not set(path.relative_to(PACKAGE).parts) & set(NOT_READ):
            text = path.read_text(encoding="utf-8")
            for twice, quoted in re.findall(r"RAISE EXCEPTION\s+(?:''([^']+)''|'((?:[^']|'')+)')", text):
                said = (quoted or twice).replace("''", "'")
                yield path.name, said.replace("%", HOLE).replace("@oldest_server@", HOLE)


def files() -> list[Path]:
    """Return the modules that speak."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if not set(path.relative_to(PACKAGE).parts) & set(NOT_READ)]


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each sentence of a module with its line; what is filled in is a hole."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = _silent(tree)
    raised = {id(below) for node in ast.walk(tree) if _is_raised(node) for below in ast.walk(node)}
    raises_only = bool(set(path.relative_to(PACKAGE).parts) & set(RAISE_ONLY))
    for node in ast.walk(tree):
        if id(node) in silent or (raises_only and id(node) not in raised):
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else HOLE for part in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        # Two words at least, beside what is filled in.
        if len(re.findall(r"[A-Za-z_]{2,}", text)) >= 2 and " " in text.strip() and not _SQL.match(text):
            yield node.lineno, " ".join(text.replace("`", "").split())


def _is_raised(node: ast.AST) -> bool:
    """Whether a node raises something, or says how the command ends."""
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and ast.unparse(node.func) == "announce")


def _silent(tree: ast.AST) -> set[int]:
    """Return the nodes whose strings are no messages: docstrings, help, logs, annotations, and parts of f-strings."""
    found: set[int] = set()

    def silence(node: ast.AST) -> None:
        found.update(id(below) for below in ast.walk(node))

    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in getattr(node, "decorator_list", []):
                silence(decorator)
            for argument in ast.walk(getattr(node, "args", None) or ast.Pass()):
                if isinstance(argument, ast.arg) and argument.annotation:
                    silence(argument.annotation)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            # A docstring, or the like below an annotation.
            silence(node)
        elif isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.Constant):
                    found.add(id(part))
        elif isinstance(node, ast.AnnAssign):
            silence(node.annotation)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.startswith(("click.option", "click.argument", "self.log", "re.compile", "_name", "cast")):
                silence(node)
    return found
