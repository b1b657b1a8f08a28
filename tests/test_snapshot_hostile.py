"""An archive that a stranger made: it is refused in one line, and nothing of it is left anywhere."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdoctor import record
from agentdoctor.snapshot import unpacking
from agentdoctor.snapshot.unpacking import NotASnapshot, opened
from conftest import CORPUS

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
RECORD = b'{"schema": "agentdoctor.snapshot/1"}'


def member(name: str, content: bytes = b"", **parts: object) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive, odd in these parts."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in parts.items():
        setattr(info, key, value)
    return info, content


def archive(*members: tuple[tarfile.TarInfo, bytes], **options: int) -> bytes:
    """A .tar.gz with a good record and these."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=options.get("format", tarfile.PAX_FORMAT)) as made:
        for info, content in (member(f"x/{record.RECORD_FILE}", RECORD), *members):
            made.addfile(info, io.BytesIO(content))
    return file.getvalue()


def bomb(kind: bytes) -> bytes:
    """A header that announces far more than comes, as a file or as attributes that are read at once."""
    info = tarfile.TarInfo("x/bomb")
    info.size, info.type = 1 << 40, kind
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * (unpacking.TOTAL_LIMIT + 1), 1)


LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE
HOSTILE: dict[str, tuple[bytes, str]] = {
    "an absolute path": (archive(member("/etc/evil", b"x")), "leads out of it"),
    "a way up": (archive(member("x/../../evil", b"x")), "leads out of it"),
    "a way up in the middle": (archive(member("x/a/../b", b"x")), "leads out of it"),
    "nothing but a way up": (archive(member("..", type=tarfile.DIRTYPE)), "leads out of it"),
    "an empty name": (archive(member("", b"x")), "leads out of it"),
    "a link": (archive(member("x/etc", type=LINK, linkname="/etc"), member("x/etc/evil", b"x")), "something else"),
    "a link within": (archive(member("x/a", type=LINK, linkname="b")), "something else"),
    "a hard link": (archive(member("x/a", type=HARD, linkname=f"x/{record.RECORD_FILE}")), "something else"),
    "a device": (archive(member("x/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)), "something else"),
    "a FIFO": (archive(member("x/fifo", type=tarfile.FIFOTYPE)), "something else"),
    "the same file twice": (archive(member(f"x/{record.RECORD_FILE}", RECORD)), "File exists"),
    "a file as a folder": (archive(member(f"x/{record.RECORD_FILE}/a", b"x")), "cannot be unpacked"),
    "two folders at its top": (archive(member("y/a", b"x")), "no snapshot of agentdoctor"),
    "no record": (gzip.compress(b"\0" * 10240), "no snapshot of agentdoctor"),
    "a name that is too long": (archive(member("x/" + "a" * 300, b"x")), "File name too long"),
    "too deep": (archive(member("x/" + "a/" * 100 + "a", b"x")), "more than a snapshot can hold"),
    "a time that is none": (archive(member("x/a", b"x", mtime=1e300)), "cannot be unpacked"),
    "a huge file": (bomb(tarfile.REGTYPE), "larger than a snapshot can be"),
    "huge attributes": (bomb(tarfile.XHDTYPE), "larger than a snapshot can be"),
    "a huge name": (bomb(tarfile.GNUTYPE_LONGNAME), "larger than a snapshot can be"),
    "cut off": (archive(member("x/a", os.urandom(5000)))[:-2000], "cannot be unpacked"),
    "not packed": (b"hello", "cannot be unpacked"),
    "packed and no archive": (gzip.compress(b"hello" * 1000), "cannot be unpacked"),
    "empty": (b"", "cannot be unpacked"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "why"), HOSTILE.values(), ids=HOSTILE)
def test_refused(content: bytes, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; what was unpacked before it is gone."""
    (tmp_path / "x.tar.gz").write_bytes(content)
    (tmp_path / "place").mkdir()
    monkeypatch.setattr(unpacking.tempfile, "tempdir", str(tmp_path / "place"))
    with pytest.raises(NotASnapshot, match=why), opened(str(tmp_path / "x.tar.gz")):
        pass

    assert sorted(os.listdir(tmp_path)) == ["place", "x.tar.gz"]
    assert os.listdir(tmp_path / "place") == []


LIMITS = {"MEMBERS": (2, "more than a snapshot"), "TOTAL_LIMIT": (4096, "larger"), "MEMBER_LIMIT": (20, "larger")}


@pytest.mark.parametrize(("limit", "value", "why"), [(name, *rest) for name, rest in LIMITS.items()], ids=LIMITS)
def test_bounded(limit: str, value: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In count, in size of each and of all; the same archive is fine below the bounds."""
    path = tmp_path / "x.tar.gz"
    path.write_bytes(archive(*(member(f"x/{number}", b"x" * 5000) for number in range(3))))
    with opened(str(path)) as root:
        assert len(os.listdir(root)) == 4
    monkeypatch.setattr(unpacking, limit, value)
    with pytest.raises(NotASnapshot, match=why), opened(str(path)):
        pass


def test_unpacked_is_ours(tmp_path: Path) -> None:
    """No setuid, nothing unreadable, nothing for others above it; times as they were."""
    content = archive(
        member("x/a", b"x", mode=0o6755, mtime=1000.5, uid=7),
        member("x/b", b"x", mode=0),
        member("x/c", type=tarfile.DIRTYPE, mode=0, mtime=2000),
        member("x/c/d", b"x"),
    )
    (tmp_path / "x.tar.gz").write_bytes(content)
    with opened(str(tmp_path / "x.tar.gz")) as root:
        modes = {name: os.stat(f"{root}/{name}").st_mode & 0o7777 for name in ("a", "b", "c", "..")}
        owner, times = os.stat(f"{root}/a").st_uid, [os.stat(f"{root}/{name}").st_mtime for name in ("a", "c")]

    assert modes == {"a": 0o755, "b": 0o600, "c": 0o700, "..": 0o700}
    assert (owner, times) == (os.geteuid(), [1000.5, 2000.0])
    assert not os.path.exists(root)


RECORDS = {
    "a list": [],
    "another schema": {"schema": "x"},
    "evidence that is a list": {"evidence": []},
    "evidence that is a text": {"evidence": {"imds.token": "x"}},
    "a value that is a text": {"evidence": {"imds.token": {"value": "x"}}},
    "an outcome that is none": {"evidence": {"imds.token": {"outcome": "fine"}}},
    "a pass without a value": {"evidence": {"imds.token": {"outcome": "pass"}}},
    "a reason that is a number": {"evidence": {"imds.token": {"reason": 1}}},
    "answers about nothing": {"answers": [{"probe": "x"}]},
    "answers of nobody": {"answers": [{"about": {}}]},
    "answers about a number": {"answers": [{"probe": "x", "about": {"path": 1}}]},
    "a time that is a text": {"taken_at": "now"},
    "a time that never comes": {"taken_at": 1e300},
    "a duration that is a text": {"evidence": {"imds.token": {"value": {}, "duration_ms": "x"}}},
    "a duration of years": {"answers": [{"probe": "x", "about": {}, "value": {}, "duration_ms": 1e12}]},
    "an offset of years": {"utc_offset": 1e9},
    "problems that are no texts": {"problems": [1]},
    "notes that are a text": {"notes": "x"},
    "a host that is a text": {"host": "x"},
    "a name that is a list": {"host": {"name": []}},
}


@pytest.mark.parametrize("data", RECORDS.values(), ids=RECORDS)
def test_records_are_checked(data: object) -> None:
    """A part of another shape is an error in words, not a crash in a rule."""
    whole = {"schema": record.SCHEMA, **data} if isinstance(data, dict) else data
    with pytest.raises(ValueError, match=record.RECORD_FILE):
        record.parse(json.dumps(whole))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_what_is_no_number_is_not_known(text: str) -> None:
    """Python reads and writes these, and JSON has no word for them."""
    whole = (
        f'{{"schema": "{record.SCHEMA}", "taken_at": {text}, "evidence": {{"a.b": {{"value": {{"c": [{text}]}}}}}}}}'
    )
    found = record.parse(whole)

    assert (found.taken_at, found.evidence["a.b"]["value"]) == (None, {"c": [None]})


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00"])
def test_what_is_no_json(text: str) -> None:
    """The same."""
    with pytest.raises(ValueError, match=record.RECORD_FILE):
        record.parse(text)


USAGE = {
    "hostile": (["--snapshot", "evil.tar.gz"], "--snapshot: evil.tar.gz: it holds a path that leads out of it"),
    "a bad record": (["--snapshot", "record.tar.gz"], "--snapshot: record.tar.gz: agentdoctor-snapshot.json: taken_at"),
    "not there": (["--snapshot", "evil.tar"], "No such file or directory (did you mean 'evil.tar.gz'?)"),
    "a directory": (["--snapshot", "."], "--snapshot: .: Is a directory"),
    "both": (["--snapshot", "evil.tar.gz", "--root", str(CORPUS)], "--root and --snapshot cannot be used together"),
}


@pytest.mark.parametrize(("arguments", "text"), USAGE.values(), ids=USAGE)
def test_one_clear_line(arguments: list[str], text: str, cli: Cli, tmp_path: Path) -> None:
    """On stderr, with exit code 3, for check and verify."""
    (tmp_path / "evil.tar.gz").write_bytes(archive(member("/etc/evil", b"x")))
    bad = json.dumps({"schema": record.SCHEMA, "taken_at": "now"}).encode()
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as made:
        made.addfile(member(f"x/{record.RECORD_FILE}", bad)[0], io.BytesIO(bad))
    (tmp_path / "record.tar.gz").write_bytes(file.getvalue())
    for verb in ("check", "verify"):
        done = cli(verb, *arguments)
        assert (done.returncode, done.stdout) == (3, "")
        assert text in done.stderr
        assert len(done.stderr.splitlines()) == 1
