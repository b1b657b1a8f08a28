"""Archives that were made to do harm: a clear finding, bounded work, and nothing written."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdoctor.bundle.entries import MOST, RATIO, ROOM, Listing, TooLarge, inside
from agentdoctor.bundle.plan import _fits
from agentdoctor.cli import main
from bundle.packing import HEAD, add, pack, problems, told


def _tar(place: Path, *entries: tuple[str, dict[str, object]]) -> Path:
    path = place / "hostile.tar"
    with tarfile.open(path, "w") as tar:
        add(tar, "appspec.yml", HEAD.encode())
        for name, fields in entries:
            add(tar, name, **fields)
    return path


LINK, HARD, PIPE = {"type": tarfile.SYMTYPE}, {"type": tarfile.LNKTYPE}, {"type": tarfile.FIFOTYPE}
ENTRIES = {
    "a way up": (("a/../../etc/cron.d/x", {}), "critical bundle-unsafe-entry :0:0 names lead out of the bundle"),
    "an absolute name": (
        ("/etc/cron.d/x", {}),
        "warning bundle-unsafe-entry :0:0 names lead out of the bundle; such files",
    ),
    "a name with .. in it that is none": (("a..b/x", {}), ""),
    "a link to the host": (("x", {**LINK, "linkname": "/etc/shadow"}), "warning bundle-unsafe-entry"),
    "a link up": (("a/x", {**LINK, "linkname": "../../x"}), "warning bundle-unsafe-entry"),
    "a link within": (("a/x", {**LINK, "linkname": "../appspec.yml"}), "info agent-config-invalid"),
    "a pipe": (("x", PIPE), "warning bundle-unsafe-entry :0:0 pipes, devices"),
    "set-uid": (("x", {"mode": 0o4755}), "warning agent-config-invalid :0:0 files are set-uid"),
    "no UTF-8": (("caf\udce9", {}), "critical bundle-filename-encoding"),
    "a long name": (("a" * 256, {}), "critical bundle-unsafe-entry :0:0 names are longer"),
    "a name as long as it may be": (("a" * 255, {}), ""),
    "another name of a file": (("x", {**HARD, "linkname": "appspec.yml"}), ""),
}


@pytest.mark.parametrize(("entry", "expected"), ENTRIES.values(), ids=ENTRIES)
def test_each_entry(entry: tuple[str, dict[str, object]], expected: str, tmp_path: Path) -> None:
    """One beside an AppSpec without trouble."""
    found = told(_tar(tmp_path, entry))

    assert any(line.startswith(expected) for line in found) if expected else found == [], found


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_an_archive_that_ends_early_is_broken(kind: str, tmp_path: Path) -> None:
    """Anywhere but between two entries of a tar, where tar itself takes the end for one."""
    path = pack(kind, {"appspec.yml": HEAD, "x": os.urandom(3000)}, tmp_path)
    whole = path.read_bytes()
    sizes = range(1, 4000 if kind == "tar" else len(whole), 97)
    for size in {*sizes, len(whole) - 1} if kind == "tgz" else sizes:
        path.write_bytes(whole[:size])
        found, _ = problems(path)
        assert "bundle-corrupt" in {problem.rule for problem in found}, size


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A gigabyte of zeros in a megabyte of gzip, which a single header asks to pass over."""
    path = tmp_path / "bomb.tgz"
    header = tarfile.TarInfo("x")
    header.size = 1 << 40
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.tobuf())
        for _ in range(ROOM >> 20):
            file.write(bytes(1 << 20))

    found, errors = problems(path)

    assert [problem.rule for problem in found] == ["bundle-too-large"]
    assert errors == [f"it unpacks to more than {ROOM + RATIO * path.stat().st_size} bytes"]


def test_what_is_too_large_is_unknown(tmp_path: Path) -> None:
    """Neither well nor known to fail: exit code 3."""
    path = tmp_path / "many.tar"
    header = tarfile.TarInfo("x").tobuf()
    path.write_bytes(header * (MOST + 1))

    assert main(["lint", str(path)]) == 3


def test_a_name_that_leads_out_of_a_zip(tmp_path: Path) -> None:
    """unzip takes the way up away, and goes on."""
    path = pack("zip", {"appspec.yml": HEAD, "../x": ""}, tmp_path)

    (line,) = told(path)

    assert line.startswith("warning bundle-unsafe-entry :0:0 names lead out of the bundle; such files")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("size", [b"-0000001000\0", b"0x000000200\0", b"\xff" * 12])
def test_a_size_that_is_none(size: bytes, kind: bytes, tmp_path: Path) -> None:
    """Below zero it would lead back, or read all at once."""
    header = tarfile.TarInfo("x")
    header.type = kind
    raw = bytearray(header.tobuf())
    raw[124:136], raw[148:156] = size, b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    path = tmp_path / "x.tar"
    path.write_bytes(bytes(raw) * 4)

    found, _ = problems(path)

    assert "bundle-corrupt" in {problem.rule for problem in found}


def test_a_zip_that_says_it_grows_too_much(tmp_path: Path) -> None:
    """It is believed."""
    path = pack("zip", {"x": "a"}, tmp_path)
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, raw.index(b"PK\1\2") + 24, 0xFFFFFFF0)
    path.write_bytes(raw)

    _, (error,) = problems(path)

    assert "it unpacks from" in error


def test_entries_have_an_end(tmp_path: Path) -> None:
    """In the listing, and of a zip before objects are made of them, whatever number it tells."""
    listing = Listing()
    for number in range(MOST):
        listing.add(str(number), "file")
    with pytest.raises(TooLarge):
        listing.add("one more", "file")

    path = pack("zip", {"x": ""}, tmp_path)
    raw = path.read_bytes()
    begin, end = raw.index(b"PK\1\2"), raw.index(b"PK\5\6")
    table = raw[begin:end] * (MOST + 1)
    tail = bytearray(raw[end:])
    struct.pack_into("<I", tail, 12, len(table))
    path.write_bytes(raw[:begin] + table + tail)
    _, errors = problems(path)
    assert errors == [f"it has more than {MOST} entries"]


def test_a_locked_zip_is_said(tmp_path: Path) -> None:
    """What nobody can read without its password."""
    path = pack("zip", {"appspec.yml": HEAD}, tmp_path)
    raw = bytearray(path.read_bytes())
    for at in (raw.index(b"PK\3\4") + 6, raw.index(b"PK\1\2") + 8):
        raw[at] |= 1
    path.write_bytes(raw)

    assert problems(path) == ([], ["appspec.yml: cannot be read"])


def test_a_zip_whose_entries_lie_before_it(tmp_path: Path) -> None:
    """To which no file can be wound back."""
    path = pack("zip", {"appspec.yml": HEAD}, tmp_path)
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, raw.index(b"PK\5\6") + 16, 1 << 20)
    path.write_bytes(raw)

    assert problems(path) == ([], ["appspec.yml: cannot be read"])


def test_links_and_pipes_of_a_directory_are_not_opened(tmp_path: Path) -> None:
    """A pipe would never end, and a link may lead anywhere."""
    top = pack("directory", {"appspec.yml": HEAD + "hooks: {AfterInstall: [{location: p}, {location: l}]}\n"}, tmp_path)
    os.mkfifo(top / "p")
    (top / "l").symlink_to("/etc/hostname")

    rules = {problem.rule for problem in problems(top)[0]}

    assert rules >= {"script-permission-denied", "script-missing", "bundle-unsafe-entry"}


def test_nothing_is_written(tmp_path: Path) -> None:
    """Neither beside the archive nor where its entries lead."""
    path = _tar(tmp_path, ("../out", {}), ("a/b", {}))
    before = sorted(os.listdir(tmp_path))

    problems(path)

    assert sorted(os.listdir(tmp_path)) == before
    assert not (tmp_path.parent / "out").exists()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_archive_ends_it(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytes of good archives, changed anywhere."""
    buffer = io.BytesIO()
    if data.draw(st.booleans()):
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("appspec.yml", HEAD)
    else:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            add(tar, "appspec.yml", HEAD.encode())
            add(tar, "b/" * 70, b"x")
    raw = bytearray(buffer.getvalue())
    for at, byte in data.draw(st.dictionaries(st.integers(0, min(len(raw), 2600) - 1), st.integers(0, 255))).items():
        raw[at] = byte
    path = tmp_path_factory.getbasetemp() / "changed"
    path.write_bytes(raw)
    bundle = path.with_suffix(".tar")
    path.rename(bundle)

    found, errors = problems(bundle)

    assert all(isinstance(problem.text, str) for problem in found)
    assert all(isinstance(error, str) for error in errors)


@given(st.text("ab/.", max_size=30))
def test_no_name_leads_out(name: str) -> None:
    """What is taken for a path within is one to the system as well."""
    path = inside(name)
    if path is not None:
        assert os.path.normpath(os.path.join("/top", name)) == os.path.normpath(os.path.join("/top", path))
        assert not {"..", "."} & set(path.split("/"))


@given(st.text("ab*/", max_size=12), st.text("ab/", max_size=12))
def test_a_pattern_fits_as_its_definition_says(pattern: str, path: str) -> None:
    """* stands for any letters but a slash."""
    import re

    plain = re.compile("[^/]*".join(map(re.escape, pattern.split("*"))))
    assert _fits(pattern, path) is bool(plain.fullmatch(path))


def test_a_pattern_of_stars_ends() -> None:
    """Which a regular expression would try for ever."""
    assert not _fits("*a" * 200 + "b", "a" * 255)


def test_an_entry_without_a_name(tmp_path: Path) -> None:
    """Its name is all NULs, which end a name in the table of a zip."""
    path = pack("zip", {"appspec.yml": HEAD, "x": "fine"}, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"appspec.yml", bytes(11)))

    found, errors = problems(path)

    assert [problem.rule for problem in found] == ["appspec-missing"]
    assert not errors
