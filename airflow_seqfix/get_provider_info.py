"""What Airflow's ProvidersManager reads. It imports this early: nothing else may be imported here."""

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, as Airflow's provider_info.schema.json describes it."""
    return {
        "package-name": "airflow-seqfix",
        "name": "PostgreSQL sequences (seqfix)",
        "description": "Find PostgreSQL sequences that have fallen behind their tables, and move them forward.",
        "integrations": [
            {
                "integration-name": "PostgreSQL sequences",
                "external-doc-url": "https://www.postgresql.org/docs/current/sql-createsequence.html",
                "how-to-guide": ["/docs/howto/after-a-load.md", "/docs/howto/gate.md", "/docs/howto/manual-repair.md"],
                "tags": ["software"],  # and no logo: it is a path in Airflow's own documentation, and no page shows it
            }
        ],
        "operators": [
            {"integration-name": "PostgreSQL sequences", "python-modules": ["airflow_seqfix.operators.postgres"]}
        ],
        "extra-links": ["airflow_seqfix.task.links.SequenceReportLink"],
        "triggers": [
            {
                "integration-name": "PostgreSQL sequences",
                "python-modules": ["airflow_seqfix.triggers.postgres", "airflow_seqfix.triggers.watch"],
            }
        ],
        "sensors": [
            {"integration-name": "PostgreSQL sequences", "python-modules": ["airflow_seqfix.sensors.postgres"]}
        ],
        "config": {
            "seqfix": {
                "description": "Options of airflow-seqfix.",
                "options": {
                    "looks_at_once": {
                        "description": "How many deferred sensors of one triggerer look at the same time, each with a "
                        "connection and two threads of its own. The others wait for their turn.",
                        "version_added": "1.0.0",
                        "type": "integer",
                        "example": None,
                        "default": "8",
                    }
                },
            }
        },
    }
