"""The bill of materials of what pip installs: ``python packaging/sbom.py LOCK FILE``.

CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/), made from the lock file: names, versions, the checksums of their
files, and what needs what. A .deb holds none of this: it depends on the packages of the distribution.
"""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from agentdoctor import __version__

ROOT = "agentdoctor"
OPTIONAL = ("systemd-python",)  # of an extra
_BLOCK = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\\n]*[^\\\s]))?(?P<rest>.*(?:\n[ \t].*)*)",
    re.MULTILINE,
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NEEDED_BY = re.compile(r"^ +# (?:via|  ) ?(?!-c )([\w.-]+)", re.MULTILINE)


class Part(NamedTuple):
    """A pinned distribution: for which Pythons, the checksums of its files, and the names of what needs it."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its name among all packages (https://github.com/package-url/purl-spec)."""
        return f"pkg:pypi/{self.name}@{self.version}"


def parts(lock: str) -> Iterator[Part]:
    """The distributions of a lock file as uv writes it."""
    for found in _BLOCK.finditer(lock):
        rest = found["rest"]
        names = tuple(_NEEDED_BY.findall(rest))
        yield Part(found["name"], found["version"], found["marker"] or "", tuple(_HASH.findall(rest)), names)


def bill(lock: str, at: float) -> dict[str, Any]:
    """The document. ``at``: of the build, in seconds since the epoch."""
    known = tuple(parts(lock))
    own = f"pkg:pypi/{ROOT}@{__version__}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own + lock)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": ROOT,
                "version": __version__,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": own,
            },
        },
        "components": [_component(part) for part in known],
        "dependencies": [
            {"ref": own, "dependsOn": _needs(ROOT, known)},
            *({"ref": part.purl, "dependsOn": _needs(part.name, known)} for part in known),
        ],
    }


def _needs(name: str, known: Sequence[Part]) -> list[str]:
    return sorted(part.purl for part in known if name in part.needed_by)


def _component(part: Part) -> dict[str, Any]:
    files = {
        "type": "distribution",
        "url": f"https://pypi.org/project/{part.name}/{part.version}/#files",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in part.hashes],
    }
    marker = {"properties": [{"name": "agentdoctor:marker", "value": part.marker}]} if part.marker else {}
    return {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "scope": "optional" if part.name in OPTIONAL else "required",
        "purl": part.purl,
        "externalReferences": [files],
        **marker,
    }


def main(lock: str, file: str) -> None:
    """Write the bill of a lock file."""
    at = float(os.environ.get("SOURCE_DATE_EPOCH") or datetime.now(timezone.utc).timestamp())
    document = bill(Path(lock).read_text(encoding="utf-8"), at)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
