"""Find PostgreSQL sequences that have fallen behind their tables, and move them forward."""

__version__ = "1.0.0"
