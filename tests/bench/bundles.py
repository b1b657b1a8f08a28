"""Bundles of many files, as a build packs them, for lint."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from generate import MB

FILES, SCRIPTS = 10_000, 4
_EVENTS = ("BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService")
_SPEC = """version: 0.0
os: linux
files:
  - source: app
    destination: /srv/app
permissions:
  - object: /srv/app
    owner: root
    mode: 755
hooks:
"""
_LINE = b"const value = require('./module-%d').value || { name: 'module', version: [1, 2, %d] };\n"


def packed(folder: Path, ending: str, size: int = 64 * MB) -> Path:
    """A bundle of FILES files with ``size`` bytes together: .tar or .tgz. It is made once."""
    path = folder / f"bundle-{size // MB}mb{ending}"
    if not path.exists():
        with tarfile.open(path, "w:gz" if ending == ".tgz" else "w") as tar:
            _add(tar, "appspec.yml", (_SPEC + "".join(map(_hook, range(SCRIPTS)))).encode(), 0o644)
            for number in range(SCRIPTS):
                _add(tar, f"scripts/{number}.sh", b"#!/bin/bash\nset -eu\n" + b"echo step\n" * 400, 0o755)
            for number in range(FILES - SCRIPTS - 1):
                _add(tar, f"app/src/part-{number % 100}/module-{number}.js", _content(number, size // FILES), 0o644)
    return path


def _hook(number: int) -> str:
    return f"  {_EVENTS[number]}:\n    - location: scripts/{number}.sh\n      timeout: 300\n"


def _content(number: int, size: int) -> bytes:
    line = _LINE % (number, number * 7919 % 10_007)
    return (line * (size // len(line) + 1))[:size]


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))
