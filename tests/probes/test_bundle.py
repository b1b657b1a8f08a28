"""bundle.tar: of which kind, whole or not, and whether the unpacker of the log can read that kind."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from agentdoctor.model import Outcome

from .conftest import ask, cases, value, write

ID = "d-AAAAAAAAA"
PLACE = f"opt/codedeploy-agent/deployment-root/11111111-2222-3333-4444-555555555555/{ID}/bundle.tar"


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("appspec.yml", "version: 0.0\n" * 100)
    return buffer.getvalue()


def tarred(mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        entry = tarfile.TarInfo("appspec.yml")
        entry.size = 5000
        archive.addfile(entry, io.BytesIO(bytes(range(250)) * 20))
    return buffer.getvalue()


BUNDLES = [
    ("a zip for unzip", zipped(), "Zip", "zip", True, True),
    ("a zip for tar", zipped(), "tar", "zip", False, True),
    ("a cut zip", zipped()[:60], "Zip", "zip", True, False),
    ("a tgz for tar", tarred("w:gz"), "tar", "gzip", True, True),
    ("a tgz for unzip", tarred("w:gz"), "Zip", "gzip", False, True),
    ("a cut tgz", tarred("w:gz")[:60], "tar", "gzip", True, False),
    ("a tar for tar", tarred("w"), "tar", "tar", True, True),
    ("an empty file", b"", "tar", "empty", False, False),
    ("a page", b"<html>no</html>", "Zip", "other", False, None),
]


@cases(BUNDLES)
def test_bundle(tmp_path: Path, data: bytes, expected: str, kind: str, fits: bool, whole: bool | None) -> None:
    path = tmp_path / PLACE
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    seen = value("bundle.file", write(tmp_path, {}), deployment_id=ID, expected=expected)
    assert (seen["present"], seen["kind"], seen["fits"], seen["whole"]) == (True, kind, fits, whole)


def test_a_bundle_that_is_gone(tmp_path: Path) -> None:
    host = write(tmp_path, {"/opt/codedeploy-agent/deployment-root": None})
    assert value("bundle.file", host, deployment_id=ID, expected="tar")["present"] is False


def test_an_id_that_is_a_path(tmp_path: Path) -> None:
    assert ask("bundle.file", write(tmp_path, {}), deployment_id="../../etc", expected="tar").outcome is Outcome.UNKNOWN
