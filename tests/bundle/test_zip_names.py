"""Names in zips as they are on a host once unzip has written them: measured with Debian's unzip 6.0-28."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from bundle.packing import HEAD, problems, told

FILES = HEAD + "files:\n- source: {}\n  destination: /srv\n"
DOS, UNIX = 0, 3
FLAG = 0x800


def zipped(place: Path, name: bytes, system: int, flags: int, spec: str) -> Path:
    """A zip with an entry of this name, said to be made on this system, with or without the flag for UTF-8."""
    path = place / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for stands, text in (("appspec.yml", spec), ("X" * len(name), "x")):
            info = zipfile.ZipInfo(stands)
            info.create_system, info.external_attr = system, 0o100644 << 16
            archive.writestr(info, text)
    raw = bytearray(path.read_bytes().replace(b"X" * len(name), name))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = raw.rindex(mark) + offset
        struct.pack_into("<H", raw, at, struct.unpack_from("<H", raw, at)[0] | flags)
    path.write_bytes(raw)
    return path


NAMES = {
    "UTF-8 of Unix": ("caf\u00e9".encode(), UNIX, 0, []),
    "UTF-8 of Unix, and said so": ("caf\u00e9".encode(), UNIX, FLAG, []),
    "Latin-1 of Unix": (b"caf\xe9", UNIX, 0, ["critical bundle-filename-encoding"]),
    "of DOS": (b"caf\x82", DOS, 0, ["warning bundle-filename-encoding"]),
    "UTF-8 of Windows": ("caf\u00e9".encode(), DOS, FLAG, ["warning bundle-filename-encoding"]),
    "plain, of DOS": (b"cafe", DOS, 0, []),
}


@pytest.mark.parametrize(("name", "system", "flags", "expected"), NAMES.values(), ids=NAMES)
def test_a_name(name: bytes, system: int, flags: int, expected: list[str], tmp_path: Path) -> None:
    """Beside a source that is there under the name that people see."""
    shown = "cafe" if name == b"cafe" else "caf\u00e9"
    spec = FILES.format(shown) if name != b"caf\xe9" else HEAD
    found = told(zipped(tmp_path, name, system, flags, spec))

    assert [line.rpartition(" :0:0")[0] for line in found] == expected, found


@pytest.mark.parametrize(("name", "system", "flags", "expected"), NAMES.values(), ids=NAMES)
def test_unzip_agrees(name: bytes, system: int, flags: int, expected: list[str], tmp_path: Path) -> None:
    """What it writes is UTF-8 exactly where nothing is told."""
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed here")
    path = zipped(tmp_path, name, system, flags, HEAD)
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["unzip", "-qo", str(path)], cwd=out, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})

    (written,) = [one.name for one in out.iterdir() if one.name != "appspec.yml"]
    is_text = not any("\udc80" <= letter <= "\udcff" for letter in written)

    assert is_text is not bool(expected)


def test_names_that_are_not_what_the_zip_says(tmp_path: Path) -> None:
    """Nobody knows what they are, so nothing is judged."""
    path = zipped(tmp_path, b"caf\xe9", UNIX, FLAG, HEAD)

    assert problems(path)[1] == ["it says that its names are UTF-8, and they are not"]
