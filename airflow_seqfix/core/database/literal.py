"""Texts as SQL, where a statement takes no parameters because several are sent at once."""


def literal(text: str) -> str:
    """Return a string constant that means the same whatever `standard_conforming_strings` is."""
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in quoted else f"'{quoted}'"
