"""The verb that shows the settings: each key, its value, and where that comes from."""

from __future__ import annotations

import argparse
import json
from typing import NamedTuple

from agentdoctor.arguments import UsageError
from agentdoctor.scrub import line
from agentdoctor.settings import DEFAULT_PATH, KEYS, Said, SettingsError, keys_said, parse, read
from agentdoctor.verbs.output import write

SCHEMA = "agentdoctor.config/1"


class Row(NamedTuple):
    """A setting as it is in force. ``line``: of the file that sets it; None: nobody does."""

    name: str
    value: str | int | None
    line: int | None


class Shown(NamedTuple):
    """All settings. ``there``: whether the file is; a file that was named always is."""

    path: str
    named: bool
    there: bool
    rows: tuple[Row, ...]


def config_show(options: argparse.Namespace) -> int:
    """Print the settings. A file that cannot be used is an error, as it is for every other verb."""
    try:
        shown = _look(options.config)
    except SettingsError as error:
        raise UsageError(str(error)) from None
    write(as_json(shown) if options.format == "json" else as_text(shown))
    return 0


def _look(path: str | None) -> Shown:
    text, origin = read(path), path or DEFAULT_PATH
    parse(text or "", origin)  # for its complaints: what is shown here is what would be used
    said = keys_said(text or "", origin)
    rows = tuple(_row(key.name, key.default, said.get(key.name)) for key in KEYS)
    return Shown(origin, path is not None, text is not None, rows)


def _row(name: str, default: str | int | None, said: Said | None) -> Row:
    value, number = (said.value, said.line) if said else (default, None)
    return Row(name, line(value) if isinstance(value, str) else value, number)


def as_text(shown: Shown) -> str:
    """For people: the file, then a line for each setting, with its value and where that comes from."""
    widths = [max(len(text) for text in column) for column in zip(*map(_columns, shown.rows), strict=True)]
    path = line(shown.path)
    head = (
        f"settings: {path}, {_chosen(shown)}{'' if shown.there else '; there is none, so everything has its default'}"
    )
    rows = [
        f"{name:<{widths[0]}}  {value:<{widths[1]}}  {f'{path}:{row.line}' if row.line else 'default'}"
        for row in shown.rows
        for name, value in [_columns(row)]
    ]
    return "\n".join([head, "", *rows]) + "\n"


def _columns(row: Row) -> tuple[str, str]:
    return row.name, "-" if row.value is None else str(row.value)


def _chosen(shown: Shown) -> str:
    return "named on the command line" if shown.named else "the default file"


def as_json(shown: Shown) -> str:
    """For programs, of schema agentdoctor.config/1. A line of null: the value is the default."""
    document = {
        "schema": SCHEMA,
        "file": {
            "path": line(shown.path),
            "origin": "command line" if shown.named else "default",
            "exists": shown.there,
        },
        "settings": [{**row._asdict(), "origin": "file" if row.line else "default"} for row in shown.rows],
    }
    return json.dumps(document, indent=2) + "\n"
