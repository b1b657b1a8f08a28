"""Bundles as people pack them, and as nobody should."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from agentdoctor import rules
from agentdoctor.appspec.finding import TARGETS, Problem
from agentdoctor.bundle.judging import judge
from agentdoctor.bundle.opening import opened

KINDS = ("directory", "zip", "tar", "tgz")
HEAD = "version: 0.0\nos: linux\n"
Files = Mapping[str, str | bytes]
IDS = rules.load().ids


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def pack(kind: str, files: Files, place: Path, mode: int = 0o755) -> Path:
    """A bundle of these files, below a place."""
    if kind == "directory":
        for name, content in files.items():
            path = place / "bundle" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_bytes(content))
            path.chmod(mode)
        return place / "bundle"
    path = place / f"bundle.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                info = zipfile.ZipInfo(name)
                info.create_system, info.external_attr = 3, (0o100000 | mode) << 16
                archive.writestr(info, _bytes(content), zipfile.ZIP_DEFLATED)
        return path
    with tarfile.open(path, "w:gz" if kind == "tgz" else "w") as tar:
        for name, content in files.items():
            add(tar, name, _bytes(content), mode=mode)
    return path


def add(tar: tarfile.TarFile, name: str, content: bytes = b"", **fields: object) -> None:
    """An entry with whatever fields."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(content))


def problems(path: Path, targets: Sequence[str] = TARGETS) -> tuple[list[Problem], list[str]]:
    """What lint says of a bundle, and what it could not judge."""
    bundle = opened(str(path))
    assert bundle is not None
    return judge(bundle, targets, IDS)


def told(path: Path) -> list[str]:
    """The problems, each in a line: severity, rule, place and words."""
    found, _ = problems(path)
    return [f"{p.severity.value} {p.rule} {p.path}:{p.line}:{p.column} {p.text}" for p in found]
