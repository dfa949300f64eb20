"""Arguments as callers, forms and templates yield them."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_seqfix import json_objects
from airflow_seqfix.options import NAME_OPTIONS, OPTIONS
from airflow_seqfix.rules import BySequence, Choice, Flag, Integer, IntegerOr, NameList, Rule, Seconds, Several, Text
from airflow_seqfix.splitting import split
from airflow_seqfix.task.sdk import AirflowFailException


@dataclass(frozen=True, slots=True)
class Given(Text):
    """A text that must not be empty, and what to give."""

    remedy: str


@dataclass(frozen=True, slots=True)
class Dictionary(Rule):
    wanted = "a dictionary, or leave it out"


@dataclass(frozen=True, slots=True)
class HookParameters(Dictionary):
    """What the hook is given beside the arguments of a task."""

    def refusal(self, value: Any) -> str | None:
        own = {"postgres_conn_id": "conn_id", "database": "database", "connection": "conn_id"}
        return next((f"give {own[name]}, and not {name} in here" for name in value if name in own), None)


@dataclass(frozen=True, slots=True)
class TemplatedFlag(Flag):
    """A flag that a template may make a text of."""


#: The arguments that are no options of the core, and those of them that may be None.
RULES: Mapping[str, Rule] = {
    "conn_id": Given("name an Airflow connection"),
    "database": Given("name one, or leave it out"),
    "hook_params": HookParameters(),
    "source_conn_id": Given("name an Airflow connection, or leave it out"),
    "source_schemas": Dictionary(),
    "report_path": Given("give a path, or leave it out"),
    "report_url": Given("give an address, or leave it out"),
    "dry_run": TemplatedFlag(),
    "retry_on_drift": Flag(),
    "on_drift": Choice(("wait", "fail", "skip")),
    "deferrable": Flag(),
    "poke_interval": Seconds(),
}
OPTIONAL = ("database", "source_conn_id", "source_schemas", "hook_params", "report_path", "report_url")


def refuse_early(given: Mapping[str, Any], templated: Collection[str]) -> None:
    """Refuse, when a DAG is parsed, an invalid argument, unless a template replaces it later.

    :raises ValueError: that names the argument and says what to give.
    """
    try:
        read_all({name: value for name, value in given.items() if name not in templated or not _is_template(value)})
    except AirflowFailException as error:
        raise ValueError(str(error)) from None


def read_all(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as they are meant, from what a caller, a form or a template yields.

    :raises AirflowFailException: when one is invalid.
    """
    return {name: _read(name, value) for name, value in given.items()}


def _read(name: str, value: Any) -> Any:
    option = OPTIONS.get(name)
    rule = option.rule if option else RULES[name]
    match rule:
        case BySequence():
            return dictionary(name, value)
        case Dictionary():
            value = dictionary(name, value)
        case _ if value is None and (option.default is None if option else name in OPTIONAL):
            return None
        case Given(remedy):
            return _text(name, value, remedy)
        case NameList() | Several():
            value = names(name, value)
        case IntegerOr(word=word) if value == word:
            pass
        case Integer() | IntegerOr() if option and option.templated:
            value = number(name, value, int, "an integer")
        case Seconds() if option and option.templated:
            value = number(name, value, float, "a number of seconds")
        case TemplatedFlag() if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.strip().lower(), value)
    said = rule.refusal(value)
    if said is not None:
        raise AirflowFailException(f"{name}={value!r}: {said}")
    return value


def _is_template(value: Any) -> bool:
    """Whether Airflow makes something else of it before the task runs."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(map(_is_template, (*value.keys(), *value.values())))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_is_template, value))
    # What another task returns, or a parameter of the DAG.
    return hasattr(value, "resolve") and hasattr(value, "iter_references")


def _text(argument: str, value: Any, remedy: str) -> str:
    if value is None or (isinstance(value, str) and _is_nothing(value)):
        raise AirflowFailException(f"{argument} is {value!r}, perhaps from a template: {remedy}")
    if not isinstance(value, str):
        raise AirflowFailException(f"{argument} is {value!r}: {remedy}")
    return value


def _is_nothing(value: str) -> bool:
    """Whether it is what a template yields where there is nothing."""
    return value.strip() in ("", "None")


def names(argument: str, value: Any) -> list[str]:
    """Return a list of names from what a caller, a form or a template yields: a list, JSON, or names with commas.

    :raises AirflowFailException: when it is nothing of the kind.
    """
    if value is None or (isinstance(value, str) and _is_nothing(value)):
        raise AirflowFailException(f"{argument} is {value!r}, perhaps from a template: give names, or leave it out")
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            for read in (json_objects.read, ast.literal_eval):
                with contextlib.suppress(ValueError, SyntaxError):
                    return names(argument, read(value))
            raise AirflowFailException(f"{argument} is {value!r}, which is not a list")
        return [name.strip() for name in split(value, ",") if name.strip()]
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        given = list(value)
        if not given and value != () and argument in NAME_OPTIONS and argument != "exclude":
            raise AirflowFailException(
                f"{argument} is {value!r}, perhaps from a task before: give at least one name, or * for everything"
            )
        if all(isinstance(name, str) for name in given):
            return given
    raise AirflowFailException(f"{argument} is {value!r}: give a list of names")


def dictionary(argument: str, value: Any) -> dict[str, Any]:
    """Return a dictionary from what a caller, a form or a template yields."""
    if isinstance(value, str):
        if _is_nothing(value):
            raise AirflowFailException(
                f"{argument} is {value!r}, perhaps from a template: give a dictionary, or leave it out"
            )
        for read in (json_objects.read, ast.literal_eval):
            try:
                return dictionary(argument, read(value))
            except json_objects.RepeatedKeyError as error:
                raise AirflowFailException(f"{argument}: {error}") from None
            except (ValueError, SyntaxError):
                continue
        raise AirflowFailException(f"{argument} is {value!r}, which is not JSON: give a dictionary, or leave it out")
    if value is not None and not isinstance(value, dict):
        raise AirflowFailException(f"{argument} is {value!r}: give a dictionary, or leave it out")
    return value or {}


def number(argument: str, value: Any, kind: Callable[[str], int | float], wanted: str) -> Any:
    """Return a number where a template has made a string of it; the option's rule judges the value."""
    if not isinstance(value, str):
        return value
    try:
        return kind(value)
    except ValueError:
        raise AirflowFailException(f"{argument} is {value!r}, perhaps from a template: give {wanted}") from None
