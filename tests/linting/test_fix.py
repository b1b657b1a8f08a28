"""lint --fix: it shows, it asks, it writes what was meant and nothing else."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from bundle.packing import HEAD, pack

from agentdoctor.bundle.mending import Change
from agentdoctor.cli import main
from agentdoctor.verbs.fixing import _write

HOOK = "hooks:\n  AfterInstall:\n    - location: scripts/a.sh\n"
FILES = "files:\n- source: web\n  destination: /srv/app\npermissions:\n- object: /srv/app\n"
SH = "#!/bin/sh\necho\n"
BOM = "\ufeff"

APPSPECS = {
    "a mode that Ruby reads as another": (FILES + "  mode: 0644\n", FILES + '  mode: "0644"\n'),
    "a mode that is refused": (FILES + "  mode: 0755 # x\n", FILES + '  mode: "0755" # x\n'),
    "a mode of Python": (FILES + "  mode: 0o755\n", FILES + '  mode: "0755"\n'),
    "in braces": ("permissions: [{object: /x, mode: 0755}]\n", 'permissions: [{object: /x, mode: "0755"}]\n'),
    "two of them": (
        FILES + "  mode: 0755\n- object: /x\n  mode: 0644\n",
        FILES + '  mode: "0755"\n- object: /x\n  mode: "0644"\n',
    ),
    "a mode that means something else": (FILES + "  mode: u+x\n", FILES + "  mode: u+x\n"),
    "a mode that is as it should be": (FILES + "  mode: 755\n", FILES + "  mode: 755\n"),
    "allowed": (
        FILES + "  mode: 0644 # agentdoctor: ignore appspec-permissions-invalid -- 0420 is meant\n",
        FILES + "  mode: 0644 # agentdoctor: ignore appspec-permissions-invalid -- 0420 is meant\n",
    ),
    "a version that is a text": ('version: "0.0"\nos: linux\n', "version: 0.0\nos: linux\n"),
    "a version that is another": ("version: 1.0\nos: linux\n", "version: 1.0\nos: linux\n"),
    "an os in capitals": ("version: 0.0\nos: Linux\n", "version: 0.0\nos: linux\n"),
    "another os": ("version: 0.0\nos: windows\n", "version: 0.0\nos: windows\n"),
    "a byte order mark": (f"{BOM}version: 0.0\nos: linux\n", "version: 0.0\nos: linux\n"),
    "Windows": ("version: 0.0\r\nos: linux\r\n", "version: 0.0\nos: linux\n"),
    "all of it": (f"{BOM}version: '0.0'\r\nos: linux\r\n", "version: 0.0\nos: linux\n"),
}


@pytest.mark.parametrize("only", [[], ["--appspec-only"]], ids=["bundle", "alone"])
@pytest.mark.parametrize(("before", "after"), APPSPECS.values(), ids=APPSPECS)
def test_an_appspec(before: str, after: str, only: list[str], tmp_path: Path) -> None:
    """Nothing but the value, or the marks, changes; and a second time nothing is left to do."""
    before, after = ((text if "os:" in text else HEAD + text).encode() for text in (before, after))
    top = pack("directory", {"appspec.yml": before, "web/x": ""}, tmp_path)
    code = main(["lint", str(top), "--fix", "--yes", *only])

    assert (top / "appspec.yml").read_bytes() == after
    assert main(["lint", str(top), *only]) == code


SCRIPTS = {
    "line endings": (b"#!/bin/sh\r\necho\r\n", 0o755, b"#!/bin/sh\necho\n", 0o755),
    "line endings later on": (b"#!/bin/sh\necho\r\n", 0o700, b"#!/bin/sh\necho\n", 0o700),
    "a byte order mark": (b"\xef\xbb\xbf#!/bin/sh\necho\n", 0o755, b"#!/bin/sh\necho\n", 0o755),
    "not executable": (SH.encode(), 0o640, SH.encode(), 0o750),
    "all of it": (b"\xef\xbb\xbf#!/bin/sh\r\n", 0o644, b"#!/bin/sh\n", 0o755),
    "as it should be": (SH.encode(), 0o755, SH.encode(), 0o755),
    "no text": (b"\x7fELF\r\n", 0o755, b"\x7fELF\r\n", 0o755),
    "without an interpreter": (b"echo\n", 0o755, b"echo\n", 0o755),
}


@pytest.mark.parametrize(("before", "mode", "after", "new_mode"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_script(before: bytes, mode: int, after: bytes, new_mode: int, tmp_path: Path) -> None:
    """Its bytes and its permission bits."""
    top = pack("directory", {"appspec.yml": HEAD + HOOK, "scripts/a.sh": before}, tmp_path)
    script = top / "scripts/a.sh"
    script.chmod(mode)

    main(["lint", str(top), "--fix", "--yes"])

    assert (script.read_bytes(), script.stat().st_mode & 0o777) == (after, new_mode)
    assert sorted(os.listdir(script.parent)) == ["a.sh"]


def test_a_name(tmp_path: Path) -> None:
    """With what is in the file."""
    top = pack("directory", {"appspec.yaml": f"{BOM}{HEAD}"}, tmp_path)

    assert main(["lint", str(top), "--fix", "--yes"]) == 0
    assert os.listdir(top) == ["appspec.yml"]
    assert (top / "appspec.yml").read_text() == HEAD


def test_it_shows_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Until somebody says so; the exit code is that of what is there."""
    files = {"AppSpec.yml": f"version: 0.0\nos: Linux\n{HOOK}", "scripts/a.sh": "#!/bin/sh\r\n\x1b[2J\r\n"}
    top = pack("directory", files, tmp_path, mode=0o644)

    assert main(["lint", str(top), "--fix"]) == 2

    out = capsys.readouterr().out
    for row in (
        "rename from AppSpec.yml",
        "rename to appspec.yml",
        "-os: Linux",
        "+os: linux",
        "old mode 100644",
        "new mode 100755",
        r"-#!/bin/sh\x0d",
        "+#!/bin/sh",
        "2 files would be changed, and nothing is written; --fix --yes writes it",
    ):
        assert row in out.splitlines(), out
    assert "\x1b" not in out
    assert sorted(os.listdir(top)) == ["AppSpec.yml", "scripts"]
    assert (top / "scripts/a.sh").read_bytes().count(b"\r") == 2


def test_nothing_to_put_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is said; the report follows."""
    top = pack("directory", {"appspec.yml": HEAD + HOOK}, tmp_path)

    assert main(["lint", str(top), "--fix", "--yes"]) == 2
    assert capsys.readouterr().out.startswith("nothing here can be put right mechanically\n\nCRITICAL")


REFUSED = {
    "an archive": (["b.zip", "--fix"], "b.zip, which is an archive; fix the directory that it is made from"),
    "standard input": (["-", "--fix"], "cannot change standard input"),
    "a format for programs": ([".", "--fix", "--format", "json"], "no part of --format json"),
    "yes to nothing": ([".", "--yes"], "--yes is for --fix"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_fixed(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A clear error."""
    pack("zip", {"appspec.yml": HEAD}, tmp_path).rename(tmp_path / "b.zip")
    (tmp_path / "appspec.yml").write_text(HEAD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))

    assert main(["lint", *arguments]) == 3
    assert words in capsys.readouterr().err


def test_links_are_left_alone(tmp_path: Path) -> None:
    """What they lead to may lie anywhere, and be anybody's."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.sh").write_bytes(b"#!/bin/sh\r\n")
    (outside / "appspec.yml").write_text("version: 0.0\nos: Linux\n")
    top = pack("directory", {"x": ""}, tmp_path)
    (top / "appspec.yml").write_text(HEAD + HOOK.replace("scripts/a.sh", "l/a.sh"))
    (top / "l").symlink_to("../outside")
    spec = pack("directory", {"y": ""}, tmp_path / "two")
    (spec / "appspec.yml").symlink_to(outside / "appspec.yml")

    main(["lint", str(top), "--fix", "--yes"])
    main(["lint", str(spec), "--fix", "--yes"])
    main(["lint", str(spec / "appspec.yml"), "--fix", "--yes"])

    assert (outside / "a.sh").read_bytes() == b"#!/bin/sh\r\n"
    assert (outside / "appspec.yml").read_text() == "version: 0.0\nos: Linux\n"
    assert (spec / "appspec.yml").is_symlink()


def test_another_name_of_the_file_keeps_its_content(tmp_path: Path) -> None:
    """It may lie outside of the directory."""
    top = pack("directory", {"appspec.yml": HEAD + HOOK, "scripts/a.sh": SH}, tmp_path, mode=0o644)
    os.link(top / "scripts/a.sh", tmp_path / "other")

    main(["lint", str(top), "--fix", "--yes"])

    assert (top / "scripts/a.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "other").stat().st_mode & 0o777 == 0o644


WRONG = {
    "it was changed since": Change("a", b"other", 0o644, "a", b"new", 0o644),
    "the name is taken": Change("a", b"old", 0o644, "b", b"new", 0o644),
    "it leads out": Change("../a", b"old", 0o644, "../a", b"new", 0o644),
    "it is a link": Change("l", b"old", 0o644, "l", b"new", 0o644),
    "a link is on the way": Change("d/a", b"old", 0o644, "d/a", b"new", 0o644),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_change_that_cannot_be_made_leaves_everything(change: Change, tmp_path: Path) -> None:
    """No half of a file, no file of ours, nothing outside."""
    top = tmp_path / "top"
    top.mkdir()
    for path, text in ((top / "a", "old"), (top / "b", "b"), (tmp_path / "a", "old")):
        path.write_text(text)
    (top / "l").symlink_to("a")
    (top / "d").symlink_to(".")

    with pytest.raises(OSError, match=r"."):
        _write(str(top), change)

    assert sorted(os.listdir(top)) == ["a", "b", "d", "l"]
    assert [(top / "a").read_text(), (top / "b").read_text(), (tmp_path / "a").read_text()] == ["old", "b", "old"]


def test_a_person_is_asked_at_a_terminal(tmp_path: Path) -> None:
    """y writes, everything else does not."""
    import pty
    import subprocess
    import sys

    for answer, name in ((b"n\n", "appspec.yaml"), (b"\n", "appspec.yaml"), (b"y\n", "appspec.yml")):
        top = pack("directory", {"appspec.yaml": HEAD}, tmp_path / answer.decode().strip())
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "agentdoctor", "lint", str(top), "--fix"], stdin=theirs, stdout=theirs, stderr=theirs
        ) as child:
            os.close(theirs)
            seen = b""
            while b"[y/N]" not in seen:
                seen += os.read(ours, 4096)
            os.write(ours, answer)
            child.wait(30)
        os.close(ours)
        assert os.listdir(top) == [name]
