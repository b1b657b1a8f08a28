"""What the package of the distribution holds agrees with the program."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from agentdoctor.child import SOCKETS
from agentdoctor.settings import DEFAULT_PATH, KEYS, Settings, parse
from conftest import TOP

CONFFILE = (TOP / "packaging/agentdoctor.yaml").read_text(encoding="utf-8")
CONTROL = (TOP / "packaging/debian/control").read_text(encoding="utf-8")
UNITS = TOP / "systemd"
# What systemd-analyze may give each, from 0 to 10. The probes need what only root may read and the network at once, as
# the agent does; what is left is explained in each unit, item by item.
EXPOSURE = {"agentdoctor.service": 0.6, "agentdoctor-send@.service": 1.1, "agentdoctor-probe@.service": 1.7}


def uncommented(text: str) -> str:
    """The file with every default that it shows in force."""
    return re.sub(r"^#(?! )(?=.)|^#(?=  \w+:)", "", text, flags=re.MULTILINE)


def names(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """All keys of a file, with dots for those that are inside of another."""
    for key, value in values.items():
        yield from names(value, f"{prefix}{key}.") if isinstance(value, Mapping) else (f"{prefix}{key}",)


def test_the_conffile_changes_nothing() -> None:
    """Installed and not edited it is as good as none."""
    assert parse(CONFFILE, "x.yaml") == Settings()
    assert yaml.safe_load(CONFFILE) is None


def test_the_conffile_shows_each_key_with_its_default() -> None:
    """All keys are there, and what is shown is what holds without them."""
    shown = uncommented(CONFFILE)

    assert sorted(names(yaml.safe_load(shown))) == sorted(key.name for key in KEYS)
    assert dataclasses.asdict(parse(shown, "x.yaml")) == dataclasses.asdict(Settings())


def test_the_package_depends_on_what_the_program_needs() -> None:
    """What pip would fetch comes from the distribution, from the same version on; and systemd's journal."""
    pyproject = (TOP / "pyproject.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^dependencies = \[(.*)\]$", pyproject, re.MULTILINE)
    needed = {*re.findall(r'"(\w+)>=([\d.]+)"', listed), *re.findall(r'"(systemd)-python>=([\d.]+)"', pyproject)}
    debian = {"PyYAML": "yaml"}
    (depends,) = re.findall(r"^Depends: (.*)$", CONTROL, re.MULTILINE)

    assert set(re.findall(r"python3-(\w+) \(>= ([\d.]+)\)", depends)) == {
        (debian.get(name, name), version) for name, version in needed
    }


def test_the_version_stands_in_one_place() -> None:
    """The package takes it from the program: nothing of Debian's repeats it."""
    from agentdoctor import __version__

    repeated = [path for path in (TOP / "packaging").rglob("*") if path.is_file() and __version__ in path.read_text()]

    assert repeated == []


def missed(unit: str) -> list[list[str]]:
    """What ``systemd-analyze security`` has against a unit: the words of each line, the verdict last."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", "security", "--no-pager", "--offline=yes", str(UNITS / unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"})
    return [line.split() for line in done.stdout.splitlines() if "✓" not in line and line.strip()]


@pytest.mark.parametrize("unit", EXPOSURE)
def test_r24_the_units_are_hardened(unit: str) -> None:
    """The exposure that systemd-analyze gives it."""
    (verdict,) = (words for words in missed(unit) if words[1:3] == ["Overall", "exposure"])

    assert float(verdict[-3]) <= EXPOSURE[unit], verdict


@pytest.mark.parametrize("unit", EXPOSURE)
def test_what_a_unit_leaves_out_is_explained(unit: str) -> None:
    """Each directive that systemd-analyze misses stands in the unit, in a comment or with the reason above it."""
    names = {re.split("=", words[1])[0] for words in missed(unit) if words[0] == "✗"}

    assert names
    assert [name for name in sorted(names) if name not in (UNITS / unit).read_text(encoding="utf-8")] == []


def values(unit: str, name: str) -> list[str]:
    """What a unit says of a name."""
    return re.findall(f"^{name}=(.*)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)


# The settings that bind the sender are those of the service, as systemd hands them to whoever may not read them.
CHILDREN = {
    "probe": ["agentdoctor.probing"],
    "send": ["agentdoctor.sinks.sns", "${CREDENTIALS_DIRECTORY}/agentdoctor.yaml"],
}


@pytest.mark.parametrize(("name", "words"), CHILDREN.items())
def test_each_child_is_where_the_service_calls_it(name: str, words: list[str]) -> None:
    """The socket is in the directory that the unit names, for its user alone, and leads to the program."""
    (folder,) = values("agentdoctor.service", f"Environment={SOCKETS}")
    socket = f"agentdoctor-{name}.socket"

    assert values(socket, "ListenStream") == [f"{folder}/{name}"]
    assert values(socket, "SocketUser") == values("agentdoctor.service", "User")
    assert values(socket, "SocketMode") == ["0600"]
    assert socket in values("agentdoctor.service", "Wants")[0].split()
    assert values(f"agentdoctor-{name}@.service", "ExecStart") == [f"/usr/bin/python3 -I -m {' '.join(words)}"]
    assert importlib.util.find_spec(words[0])


def test_the_sender_is_bound_by_the_settings() -> None:
    """Those that the service reads where nobody says otherwise."""
    assert values("agentdoctor-send@.service", "LoadCredential") == [f"agentdoctor.yaml:{DEFAULT_PATH}"]
