"""Where the script and the core disagree, and why. docs/sql.md shows the same table, see test_docs.py."""

from __future__ import annotations

from typing import Any

#: What SQL alone does not do, by scenario. Whatever stands here has to differ.
DIFFERENCES: dict[str, str] = {
    "exclude_column": "`exclude` takes tables and sequences, no columns",
    "interleaved": "it has no `interleaved`: every value in the column counts",
    "interleaved_healthy": "it has no `interleaved`: every value in the column counts",
    "double_column_steps": "it has no `interleaved`: every value in the column counts",
    "names_patterns": "each option takes one name, in which * and ? are always wildcards",
    "select_column": "a column cannot be selected, only its table or its sequence",
}


def variables(options: dict[str, Any]) -> dict[str, object]:
    """Return the options of a scenario as psql's variables, as far as the script has them."""
    given: dict[str, object] = {"allow_empty": "on"} if options.get("allow_empty") else {}
    if options.get("lock") == "none":
        given["lock"] = "none"
    given |= {name: options[name] for name in ("margin", "max_jump", "outliers") if name in options}
    for option, variable in (
        ("schemas", "schema"),
        ("tables", "table"),
        ("sequences", "sequence"),
        ("exclude", "exclude"),
    ):
        names = options.get(option, [])
        names = [names] if isinstance(names, str) else names
        # One name, and as the catalogs hold it.
        if len(names) == 1 and '"' not in names[0]:
            given[variable] = names[0]
    return given
