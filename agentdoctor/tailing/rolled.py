"""The rolled files of a log, by age: what a directory shows of them at one look."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from agentdoctor.tailing import files
from agentdoctor.tailing.model import Family

NAMES = 10_000  # looked at in a directory: in a public one anybody can make more
# The logging gem's name for a copy that is being made.
COPY = "._copy_"
# What is packed was read before, or is a gap: unpacking old logs is not for a service.
_PACKED = (".gz", ".bz2", ".xz", ".zst")


class Rolled(NamedTuple):
    """Time of change in nanoseconds, name and status of each file, the oldest first.

    ``complete``: none can be missing. ``torn``: one was renamed meanwhile. ``refused``: why, by name; the name of the
    directory itself is empty.
    """

    files: list[tuple[int, str, os.stat_result]]
    complete: bool
    torn: bool
    refused: Mapping[str, str]


def look(family: Family, archives: re.Pattern[str]) -> Rolled:
    """Look at each rolled file of a family."""
    try:
        doubt = files.distrust_directory(family.directory) if family.public else ""
        if doubt:
            return Rolled([], False, False, {"": doubt})
        with os.scandir(family.directory) as entries:
            names = [entry.name for entry in islice(entries, NAMES)]
    except (FileNotFoundError, NotADirectoryError):
        return Rolled([], False, False, {})
    except OSError as error:
        return Rolled([], False, False, {"": files.reason(error)})
    found, refused, torn = [], {}, False
    for name in filter(lambda name: _is_rolled(name, family, archives), names):
        try:
            status = files.look(f"{family.directory}/{name}", family.public)
            found.append((status.st_mtime_ns, name, status))
        except FileNotFoundError:
            torn = True
        except OSError as error:
            refused[name] = files.reason(error)
    found.sort(key=lambda each: each[:2])
    return Rolled(found, not (torn or refused or len(names) == NAMES), torn, refused)


def _is_rolled(name: str, family: Family, archives: re.Pattern[str]) -> bool:
    if name == family.live or name.endswith(_PACKED):
        return False
    return name == family.live + COPY or archives.fullmatch(name) is not None
