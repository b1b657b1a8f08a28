"""Write what is made from the sources: ``python packaging/docs man|completions|catalog DIRECTORY``.

It needs agentdoctor on the path and no third party, so that a package can be built with the distribution's Python.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import catalog
import completions
import manual


def _date() -> str:
    """Of the build, or the one that a reproducible build names (reproducible-builds.org, SOURCE_DATE_EPOCH)."""
    return time.strftime("%Y-%m-%d", time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())))


def _made(kind: str) -> Mapping[str, str]:
    """The files of a kind, by name."""
    if kind == "man":
        return manual.pages(_date())
    if kind == "completions":
        return completions.scripts()
    if kind == "catalog":
        return catalog.catalog()
    raise SystemExit(f"{kind!r} is none of man, completions, catalog")


def main(kind: str, directory: str) -> None:
    """Write the files of a kind into a directory."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    for name, text in _made(kind).items():
        (Path(directory) / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
