"""A report or a plan as a file: where it is written, where a browser finds it, and how a plan comes back."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

from airflow_seqfix.core import ArgumentError, Plan, Report, SeqfixError
from airflow_seqfix.render.formats import form_of, pieces

#: Where a browser shows an object of a bucket, for the stores that have one such place.
CONSOLES = {
    "s3": "https://s3.console.aws.amazon.com/s3/object/{bucket}?prefix={key}",
    "gs": "https://console.cloud.google.com/storage/browser/_details/{bucket}/{key}",
}


class ReportError(SeqfixError):
    """A report could not be written, or a plan not be read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """Where a task's report goes."""

    path: str
    form: str
    #: Where a browser finds it; None where there is no such place.
    link: str | None

    @classmethod
    def parse(cls, report_path: str, report_url: str | None = None) -> ReportFile:
        """Check what `report_path` and `report_url` say, before anything is done.

        :raises ArgumentError: when nothing could be written there.
        """
        path, parts = report_path, urlsplit(report_path)
        if parts.password is not None:
            raise ArgumentError(
                "it holds a password",
                option="report_path",
                remedy="name an Airflow connection, as in s3://aws_default@…",
            )
        if report_url is not None and urlsplit(report_url).password is not None:
            raise ArgumentError(
                "it holds a password, and everybody who sees the task sees it",
                option="report_url",
                remedy="leave it out",
            )
        if not parts.scheme and not Path(path).is_absolute():
            raise ArgumentError(
                option="report_path", value=path, remedy="give an absolute path, or a URL such as s3://bucket/key.html"
            )
        try:
            form = form_of(path)
        except ArgumentError as error:
            raise ArgumentError(error.message, option="report_path", remedy=error.remedy) from None
        _open(path)
        return cls(path=path, form=form, link=link_of(path, report_url))

    def write(self, content: Report | Plan) -> dict[str, Any]:
        """Write a report, or a plan as what `fix(plan=…)` takes, and return what an XCom says of it.

        :raises ReportError: when that fails.
        """
        digest = hashlib.sha256()
        try:
            # Whole before it is sent: what an error has cut short replaces no file.
            with tempfile.TemporaryFile() as whole:
                for piece in pieces(content, self.form):
                    data = piece.encode()
                    digest.update(data)
                    whole.write(data)
                size = whole.tell()
                whole.seek(0)
                self._send(whole)
        except Exception as error:
            raise ReportError(
                f"could not be written ({_said(error)})",
                option="report_path",
                value=self.path,
                remedy="the report is in the log",
            ) from error
        return {"path": self.path, "sha256": digest.hexdigest(), "bytes": size}

    def _send(self, whole: IO[bytes]) -> None:
        target = _open(self.path)
        if target.protocol in ("", "file"):
            Path(target.path).parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(whole, file)


def read_plan(delivered: Any) -> Any:
    """Read a plan from the file that the XCom of a dry run names.

    :raises ArgumentError: when it is not what was written then.
    :raises ReportError: when it cannot be read.
    """
    path, sha256 = (delivered.get("path"), delivered.get("sha256")) if isinstance(delivered, dict) else (None, None)
    if not isinstance(path, str) or not path.lower().endswith(".json"):
        raise ArgumentError(
            "it was cut short, and does not hold all its moves",
            option="plan",
            remedy="give the task that makes it a report_path that ends in .json, where the whole plan is kept",
        )
    try:
        with _open(path).open("rb") as file:
            data: bytes = file.read()
    except Exception as error:
        raise ReportError(
            f"{path!r} could not be read ({_said(error)})", option="plan", remedy="make a new one"
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ArgumentError(f"{path!r} is not what the dry run wrote", option="plan", remedy="make a new one")
    try:
        return json.loads(data)
    except ValueError:
        raise ArgumentError(f"{path!r} does not hold JSON", option="plan", remedy="make a new one") from None


def _open(path: str) -> Any:
    """Return a path in the store that its scheme and connection name."""
    from airflow_seqfix.task.sdk import ObjectStoragePath

    try:
        target = ObjectStoragePath(path)
        _ = target.fs
    except (ValueError, ImportError) as error:
        raise ArgumentError(
            f"there is no such store here ({_said(error)})",
            option="report_path",
            value=path,
            remedy="install the provider that brings it",
        ) from None
    return target


def link_of(path: str, url: str | None) -> str | None:
    """Return where a browser finds a file; None where it does not.

    :raises ArgumentError: when `url` is not the address of a page.
    """
    if url is not None:
        parts = urlsplit(url)
        # The page makes a link of it: nothing that a browser would run.
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ArgumentError(
                option="report_url", value=url, remedy="give an address that starts with https:// or http://"
            )
        return url
    parts = urlsplit(path)
    console = CONSOLES.get(parts.scheme)
    bucket = parts.netloc.rpartition("@")[2]
    return console and console.format(bucket=quote(bucket), key=quote(parts.path.lstrip("/")))


def _said(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
