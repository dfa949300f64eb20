"""Many databases of one server in one run: one report, one question, the worst exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_seqfix.cli import confirm
from airflow_seqfix.cli.messages import announce
from airflow_seqfix.cli.option_names import as_error, with_options
from airflow_seqfix.cli.progress import shown_progress
from airflow_seqfix.cli.status import DRIFT, IN_SYNC, TROUBLE
from airflow_seqfix.options import NAME_OPTIONS

#: In which forms there is one report over many databases.
FORMS = ("table", "json", "markdown", "html")

if TYPE_CHECKING:
    from airflow_seqfix.cli.connecting import Address
    from airflow_seqfix.cli.run import Run
    from airflow_seqfix.core import Plan, Report
    from airflow_seqfix.core.fleet import DatabaseResult, Fleet


def check(run: Run) -> int:
    """Check each database."""
    from airflow_seqfix import core

    _refuse_what_is_of_one(run)

    with run.output.prepared():
        return _conclude(run, [_result(run, address, core.check) for address in _addresses(run)])


def fix(run: Run, *, yes: bool) -> int:
    """Repair each database, after one question for all."""
    from airflow_seqfix import core

    _refuse_what_is_of_one(run)

    with run.output.prepared():
        addresses = {address.dbname: address for address in _addresses(run)}
        keys = None if yes else confirm.keyboard()
        if keys is None:
            return _conclude(run, [_result(run, address, core.fix) for address in addresses.values()])
        plans: dict[str, Plan] = {}
        results: dict[str, DatabaseResult] = {}
        for name, address in addresses.items():
            results[name] = _result(run, address, core.plan, plans=plans)
        movable = {name: sum(move.way is not None for move in plan) for name, plan in plans.items()}
        for name, plan in plans.items():
            if movable[name]:
                confirm.show(plan, plan.report.server.address)
        total = sum(movable.values())
        if total and not confirm.agreed(total, keys):
            announce("nothing was moved")
            return _conclude(run, list(results.values()))
        for name, plan in plans.items():
            if movable[name]:
                results[name] = _result(run, addresses[name], core.fix, plan=plan)
        return _conclude(run, list(results.values()))


def _refuse_what_is_of_one(run: Run) -> None:
    """Refuse what there is for one database only.

    :raises ArgumentError: that names it.
    """
    from airflow_seqfix.core import ArgumentError

    if run.output.form not in FORMS:
        raise ArgumentError(f"--format {run.output.form} is for one database: give one of {', '.join(FORMS)}")
    if run.options.get("source") is not None:
        raise ArgumentError("a source is of one database", option="source", remedy="leave -a and the second -d out")


def _addresses(run: Run) -> list[Address]:
    """Return where the databases are that are meant."""
    from airflow_seqfix.core import SelectionError

    assert run.databases is not None
    server = run.address.to_list_databases()
    chosen = run.databases.choose(run.list_databases(server))
    if not chosen:
        raise SelectionError("no database is left", option="exclude_database", remedy="exclude fewer")
    addresses = [server.on(name) for name in chosen]
    _refuse_schema_of_none(run, addresses)
    return addresses


def _refuse_schema_of_none(run: Run, addresses: list[Address]) -> None:
    """A schema may be missing from some of the databases, but a name that is misspelt must not pass for a healthy one.

    :raises SelectionError: that names the schema, before anything is written.
    """
    from airflow_seqfix.core import ConnectionFailedError, SelectionError
    from airflow_seqfix.core.discover.names import did_you_mean, parse_all, parts_of

    wanted = () if run.options.get("allow_empty") else parse_all(run.options["schemas"], "schemas")
    if not wanted:
        return
    try:
        schemas = {name for address in addresses for name in run.list_schemas(address)}
    except ConnectionFailedError:
        # One that cannot be asked may have it; it is an error of its own in the report.
        return
    for name in wanted:
        if not any(name.matches(*parts_of(schema)) for schema in schemas):
            raise SelectionError(
                f"no schema {name.text} has a sequence in any of the {len(addresses):,} databases",
                option="schemas",
                missing=name.text,
                candidates=did_you_mean(name, sorted(schemas)),
            )


def _result(
    run: Run,
    address: Address,
    work: Callable[..., Report | Plan],
    *,
    plan: Plan | None = None,
    plans: dict[str, Plan] | None = None,
) -> DatabaseResult:
    """Do the work on one database. What goes wrong there does not stop the others.

    :param plan: What `fix()` is to make.
    :param plans: Takes the plan, where the work makes one.
    """
    from airflow_seqfix.core import Plan, Report, SeqfixError
    from airflow_seqfix.core.fleet import DatabaseResult

    # That one of them has no sequence is in order; that none of them has is said in the end.
    options = run.options | {"allow_empty": True, "tables": (*run.options["tables"], *run.names)}
    if plan is not None:
        options = {key: value for key, value in options.items() if key not in NAME_OPTIONS} | {"plan": plan}
    try:
        with shown_progress(quiet=run.messages.quiet) as progress:
            done = work(address, progress=progress, **options)
    except SeqfixError as error:
        found = getattr(error, "report", None)
        report = found.to_dict() if isinstance(found, Report) else None
        return DatabaseResult(database=address.dbname, report=report, error=as_error(error))
    if isinstance(done, Plan):
        if plans is not None:
            plans[address.dbname] = done
        done = done.report
    if plan is not None:
        done = confirm.with_rest(done, plan)
    run.announce(done)
    return DatabaseResult(database=address.dbname, report=done.to_dict())


def _conclude(run: Run, results: list[DatabaseResult]) -> int:
    """Write the one report over all, and return the worst status."""
    from airflow_seqfix.core import NothingCheckedError
    from airflow_seqfix.core.fleet import Fleet

    fleet = Fleet.of(results)
    run.output.write_surely([_as_text(run, fleet)], [_as_table(fleet, None)])
    if fleet.with_state("error"):
        return TROUBLE
    if not fleet.count("checked") and not run.options.get("allow_empty"):
        raise NothingCheckedError(
            f"nothing was checked: none of the {len(results):,} databases has a sequence to check",
            remedy="check whether it is the right server",
            allowed_by="allow_empty",
        )
    return DRIFT if fleet.with_state("failing") else IN_SYNC


def _as_text(run: Run, fleet: Fleet) -> str:
    from airflow_seqfix.render import fleet as rendered

    match run.output.form:
        case "json":
            return json.dumps(fleet.to_dict(), indent=2)
        case "markdown":
            return rendered.markdown(fleet, spell=with_options)
        case "html":
            return rendered.html(fleet, spell=with_options)
    return _as_table(fleet, run.output.width)


def _as_table(fleet: Fleet, width: int | None) -> str:
    from airflow_seqfix.render import fleet as rendered

    return rendered.table(fleet, width=width, spell=with_options)
