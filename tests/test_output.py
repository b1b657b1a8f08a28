"""Reports in files: all or nothing, readable by whom they are for, and nothing else harmed."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import consumers
import pytest
from golden_runs import EVERYTHING, NOTHING
from test_cli import CRITICAL, HEALTHY

from agentdoctor.arguments import FORMATS, UsageError, parser
from agentdoctor.verbs.output import deliver, rendered, replace

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def names(directory: Path) -> list[str]:
    """What lies there: half-written files too."""
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("format_", FORMATS)
def test_who_may_read_it(format_: str, umask: int, tmp_path: Path) -> None:
    """Metrics are for another user's collector; reports quote logs. Whatever the umask and the old file's mode."""
    path = tmp_path / "report"
    path.write_text("old")
    path.chmod(0o666)
    before = os.umask(umask)
    try:
        deliver(EVERYTHING, parser().parse_args(["scan", "x.log", "--format", format_, "--output", str(path)]))
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == (0o644 if format_ == "prometheus" else 0o600)
    assert path.read_text(encoding="utf-8") == rendered(EVERYTHING, format_)
    assert names(tmp_path) == ["report"]


def test_the_file_is_replaced_and_not_rewritten(tmp_path: Path) -> None:
    """Who reads the old one goes on reading the old one."""
    path, same = tmp_path / "report", tmp_path / "same"
    path.write_text("the old report")
    same.hardlink_to(path)
    replace(path, "new", 0o600)

    assert (path.read_text(), same.read_text()) == ("new", "the old report")


def test_text_that_no_encoding_has(tmp_path: Path) -> None:
    """A name of a file may hold bytes that are no text; they are shown, and line breaks stay as they are."""
    replace(tmp_path / "report", "caf\udce9 gr\xf6\xdfe\n\r\n", 0o600)

    assert (tmp_path / "report").read_bytes() == b"caf\\udce9 gr\xc3\xb6\xc3\x9fe\n\r\n"


def _link(path: Path) -> None:
    path.symlink_to(path.parent / "target")
    (path.parent / "target").write_text("kept")


IN_THE_WAY: dict[str, Callable[[Path], None]] = {
    "a directory": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link": _link,
    "a link to nothing": lambda path: path.symlink_to("absent"),
    "a link to a device": lambda path: path.symlink_to(os.devnull),
}


@pytest.mark.parametrize("make", IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_is_no_regular_file_stays(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A rename would put a file in its place: no more /dev/stdout for anybody."""
    path = tmp_path / "report"
    make(path)
    before = (names(tmp_path), path.lstat())

    with pytest.raises(OSError, match="is not a regular file"):
        replace(path, "new", 0o600)
    assert (names(tmp_path), path.lstat()) == before


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    options = parser().parse_args(["scan", "x.log", "--output", str(tmp_path / "absent/report")])

    with pytest.raises(UsageError, match=r"--output: .*/absent/report: No such file or directory"):
        deliver(NOTHING, options)
    assert names(tmp_path) == []


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def test_a_disk_that_is_full(cli: Cli, tmp_path: Path) -> None:
    """Exit code 3 although the log is critical: who reads the file must not think that it is of now."""
    path = tmp_path / "report.prom"
    path.write_text("the old report")
    done = cli(
        "scan", CRITICAL, "--format", "prometheus", "--output", path.name,
        env={"PYTHONDONTWRITEBYTECODE": "1"}, preexec_fn=_small_files,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "agentdoctor: --output: report.prom: File too large\n"
    assert path.read_text() == "the old report"
    assert names(tmp_path) == ["report.prom"]


PRINTED = {"healthy": (HEALTHY, 0), "critical": (CRITICAL, 2)}


@pytest.mark.parametrize(("log", "code"), PRINTED.values(), ids=PRINTED)
def test_the_exit_code_is_that_of_the_run(log: str, code: int, cli: Cli, tmp_path: Path) -> None:
    """And nothing is printed."""
    done = cli("scan", log, "--format", "prometheus", "--output", "agentdoctor.prom")
    found = consumers.prometheus((tmp_path / "agentdoctor.prom").read_text())

    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
    assert found["agentdoctor_exit_code", ()] == code


def test_a_dash_is_standard_output(cli: Cli, tmp_path: Path) -> None:
    """As it is standard input among the files of scan."""
    assert cli("scan", HEALTHY, "--output", "-").stdout.startswith("OK")
    assert names(tmp_path) == []
