"""The verb that makes something to be sent: a snapshot of this host, or of a copied tree."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentdoctor import runs
from agentdoctor.arguments import UsageError
from agentdoctor.host import Host
from agentdoctor.model import Rule
from agentdoctor.scrub import line
from agentdoctor.snapshot import packing, unpacking
from agentdoctor.snapshot.taking import Snapshot, summary, take
from agentdoctor.verbs import load, settings_of
from agentdoctor.verbs.looking import place
from agentdoctor.verbs.output import write

if TYPE_CHECKING:
    from collections.abc import Sequence


def snapshot(options: argparse.Namespace) -> int:
    """Take a snapshot and print where it lies; with --list print what would be taken."""
    settings = settings_of(options)
    loaded = load(settings)
    host, begin = place(options, settings, loaded)
    _progress("looking at the host and its logs")
    taken = take(host, loaded.rules, begin, options.timeout, not options.no_network, options.pseudonyms)
    if options.list:
        _progress("")
        write("".join(_listed(taken)))
        return 0
    path = options.output or f"{packing.name(taken)}.tar.gz"
    _progress("writing")
    try:
        packing.write(taken, path)
    except FileExistsError:
        raise UsageError(f"--output: {path} exists already, and is not overwritten") from None
    except OSError as error:
        raise UsageError(f"--output: {path}: {error.strerror}") from None
    _progress("reading it once more")
    _compare(taken, path, loaded.rules)
    _progress("")
    write(f"{path}\n")
    return 0


def _progress(text: str) -> None:
    """One line on the terminal that the next one replaces; "" takes it away."""
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="" if text else "\r", file=sys.stderr, flush=True)


def _compare(taken: Snapshot, path: str, rules: Sequence[Rule]) -> None:
    """Say so where the snapshot gives other findings than the host, as where a secret was part of what was found."""
    with unpacking.opened(path) as root:
        again = summary(runs.check(rules, Host.snapshot(root)))
    here = {tuple(row.items()) for row in taken.manifest["findings"]}
    other = here ^ {tuple(row.items()) for row in again}
    if other:
        ids = ", ".join(sorted({dict(row)["id"] for row in other}))
        print(f"agentdoctor: the snapshot tells otherwise than this host of: {ids}", file=sys.stderr)


def _listed(taken: Snapshot) -> Iterator[str]:
    """What is taken: bytes, path, what is removed or left out of it; then what is not taken and why."""
    for row in taken.manifest["files"]:
        if "bytes" in row:
            removed = ", ".join(f"{count} {kind}" for kind, count in sorted(row["removed"].items()))
            parts = [part for part in (row["note"], removed and f"removed: {removed}") if part]
            yield f"{row['bytes']:>9}  {line(row['path'])}{'  # ' if parts else ''}{'; '.join(parts)}\n"
    for row in taken.manifest["left_out"]:
        yield line(f"left out: {row['path']}: {row['why']}") + "\n"
