"""Reading files: blocks, long lines, what is no log, and where an age begins."""

from __future__ import annotations

import base64
import gzip
import io
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdoctor import logs, runs
from agentdoctor.doctor import Doctor
from agentdoctor.grammars import Source, agent, every_entry
from agentdoctor.host import Host
from agentdoctor.model import Outcome, Record, Rule, State
from agentdoctor.rules import from_sources

UTC = timezone.utc
STAMP = "2026-11-22T20:%02d:%02d"
POLL = (
    "%s INFO  [codedeploy-agent(21)]: [Aws::CodeDeployCommand::Client 200 60.1 0 retries] "
    'poll_host_command(host_identifier:"arn:aws:ec2:us-east-1:1:instance/i-0")  \n\n'
)
ERROR = (
    "%s ERROR [codedeploy-agent(21)]: CommandPoller: Missing credentials %s\n/opt/a.rb:1:in `x'\n/opt/b.rb:2:in `y'\n"
)


def read(data: bytes, wanted: Sequence[bytes] = ()) -> list[Record]:
    """The records of an agent log through the gate, as in a file too large for a paste."""
    return list(logs.read_as(agent.GRAMMAR, io.BytesIO(data), Source("x", UTC), lambda: tuple(wanted)))


def log(size: int, every: int = 50) -> bytes:
    """An agent log of about that many bytes, with an error now and then."""
    lines, total, number = [], 0, 0
    while total < size:
        stamp = STAMP % (number // 60 % 60, number % 60)
        line = ERROR % (stamp, number) if number % every == 0 else POLL % stamp
        lines.append(line)
        total += len(line)
        number += 1
    return "".join(lines).encode()


def test_blocks_lose_nothing() -> None:
    """Every error of a log of many blocks comes out once, in order, at its offset."""
    data = log(5 * logs.BLOCK)
    found = read(data)

    assert [x.message for x in found] == [f"CommandPoller: Missing credentials {n * 50}" for n in range(len(found))]
    assert len(found) == data.count(b" ERROR ")
    for record in found:
        assert data[record.offset :].startswith(b"2026-")
        assert f" {record.message}\n".encode() in data[record.offset : record.offset + 200]


def test_the_gate_drops_only_what_is_healthy() -> None:
    """Reading every entry finds the same errors, and the polls besides."""
    data = log(logs.BLOCK)
    through = read(data)
    everything = list(logs.read_as(every_entry(agent.GRAMMAR), io.BytesIO(data), Source("x", UTC), tuple))

    assert [x for x in everything if x.level == "ERROR"] == through
    assert len(everything) > 10 * len(through)


def test_wanted_literals_open_the_gate() -> None:
    """A poll is passed over until somebody waits for one."""
    data = (POLL % (STAMP % (1, 1))).encode()

    assert not read(data)
    assert len(read(data, [b"] poll_host_command("])) == 1


# What the gate passes over as long as nobody waits for it.
EVENT = base64.b64encode(b"d-AAAAAAAAA/DownloadBundle").decode()
CALLED = "INFO  [codedeploy-agent(21)]: [Aws::CodeDeployCommand::Client 200 0.1 0 retries] %s"
PASSED_OVER = {
    "a poll": CALLED % 'poll_host_command(host_identifier:"arn:aws:ec2:us-east-1:1:instance/i-0")',
    "an event that went well": CALLED % f'put_host_command_complete(command_status:"Succeeded",x:"{EVENT}")',
    "a command that is taken": CALLED % 'put_host_command_acknowledgement(host_command_identifier:"x")',
    "a deployment that is read": CALLED % 'get_deployment_specification(deployment_execution_id:"x")',
    "a version": "INFO  [codedeploy-agent(21)]: Version file found in /x/.version with agent version OFFICIAL_1.8.1",
}


def states(rule: Rule, data: bytes) -> list[State]:
    """What a rule alone finds in a log."""
    doctor = Doctor((rule,))
    for record in logs.read(io.BytesIO(data), Source("x", UTC), doctor.wanted):
        doctor.observe(record)
    return [finding.state for finding in doctor.findings(0.0)]


@pytest.mark.parametrize("line", PASSED_OVER.values(), ids=PASSED_OVER)
def test_what_ends_a_finding_passes_the_gate(line: str) -> None:
    """A failure that ends with such a line ends with it in a log too large for a paste."""
    end = f"2026-11-24T00:00:00 {line}  \n\n".encode()
    filler = b"2026-11-23T00:00:00 DEBUG [codedeploy-agent(21)]: waiting\n" * (logs.PASTE // 40)
    told = [(rule, sample) for rule in from_sources() for sample in rule.samples if sample.match]
    samples = [(rule, sample.text.encode() + b"\n") for rule, sample in told if "[codedeploy-agent(" in sample.text]
    ended = [(rule, text) for rule, text in samples if states(rule, text + end) != states(rule, text)]

    assert ended
    for rule, text in ended:
        assert states(rule, text + filler + end) == states(rule, text + end), rule.id


DONE = (
    "%s INFO  [codedeploy-agent(21)]: [Aws::CodeDeployCommand::Client 200 0.1 0 retries] "
    'put_host_command_complete(command_status:"Succeeded",diagnostics:nil)  \n\n'
)


def test_what_is_wanted_may_change_with_each_record() -> None:
    """After each error the first poll or success, and none behind it."""
    stamp, error = STAMP % (1, 1), ERROR % (STAMP % (3, 4), "x")
    entries = [POLL % stamp, error, POLL % stamp, DONE % stamp, error, DONE % stamp, POLL % stamp]
    begins = list(accumulate(map(len, entries), initial=0))
    open_, offsets = False, []

    def wanted() -> Sequence[bytes]:
        return (b'command_status:"Succeeded"', b"] poll_host_command(") if open_ else ()

    data = "".join(entries).encode()
    for record in logs.read_as(agent.GRAMMAR, io.BytesIO(data), Source("x", UTC), wanted):
        open_ = record.level == "ERROR"
        offsets.append(record.offset)

    assert offsets == [begins[1], begins[2], begins[4], begins[5]]


def test_what_looks_like_a_stamp_over_a_line_break_hides_nothing() -> None:
    """The gate jumps over a stamp without looking at it; the entry behind such a line is read all the same."""
    error = ERROR % ("2026-11-22 20:03:04", "x")

    assert [x.level for x in read(("\n1_______\n" + error).encode())] == ["ERROR"]


PIECES = st.lists(
    st.sampled_from(
        [
            POLL % (STAMP % (1, 2)),
            ERROR % (STAMP % (3, 4), "x"),
            "2026-11-22T20:09:09 WARN  [codedeploy-agent(1)]: a\nmessage of\n\nfour lines\n",
            "\n",
            "/opt/frame.rb:1:in `x'\n",
            "2026-09-10 08:15:02 ERROR Command failed elapsed_ms=1 error=x\n",
            "z" * 3000 + "\n",
            "2026-11-22T20:09:09 ERROR [codedeploy-agent(1)]: " + "long " * 2000 + "\n",
        ]
    ),
    max_size=60,
)


class _Slow(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step = io.BytesIO(data), step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)[: self.step]  # type: ignore[arg-type]
        return self.data.readinto(view)


@settings(deadline=None)
@given(PIECES, st.integers(1, 5000), st.integers(32_000, 70_000), st.sampled_from([(), (b"] poll_host_command(",)]))
def test_block_borders_do_not_matter(pieces: list[str], step: int, block: int, wanted: Sequence[bytes]) -> None:
    """Whatever the size of blocks and of reads: the same records."""
    data = "".join(pieces).encode()
    whole = read(data, wanted)
    original = logs.BLOCK
    try:
        logs.BLOCK = block
        parts = list(logs.read_as(agent.GRAMMAR, _Slow(data, step), Source("x", UTC), lambda: wanted))
    finally:
        logs.BLOCK = original

    assert parts == whole


def test_a_line_longer_than_the_window() -> None:
    """Its beginning is read, the rest is payload, and the next line is whole again."""
    error = ERROR % (STAMP % (3, 4), "x")
    data = error.replace("Missing", "y" * (3 * logs.BLOCK)).encode() + error.encode()
    first, *middle, last = read(data)

    assert first.message.startswith("CommandPoller: yyyy")
    assert last.message == "CommandPoller: Missing credentials x"
    assert not middle


def test_memory_does_not_grow_with_a_line() -> None:
    """No part of a record is longer than an entry may be."""
    (record,) = read((ERROR % (STAMP % (1, 1), "x" * 10_000_000)).encode())

    assert len(record.message) <= 2 * 16 * 1024


def make_log(path: Path) -> None:
    path.write_bytes(b"The deployment failed\n")


def make_directory(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 50)


def make_hole(path: Path) -> None:
    path.write_bytes(b"\0" * 100_000 + (ERROR % (STAMP % (1, 1), "x")).encode())


def make_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress((ERROR % (STAMP % (1, 1), "x")).encode()))


FILES = {
    "a log": (make_log, None),
    "a directory": (make_directory, "is a directory"),
    "a pipe that nobody writes to": (make_fifo, "is not a regular file"),
    "a program": (make_binary, "is not a text file"),
    "a hole and then a log": (make_hole, None),
    "a compressed log": (make_gzip, None),
}


@pytest.mark.parametrize(("make", "reason"), FILES.values(), ids=FILES)
def test_what_is_no_log_is_said(tmp_path: Path, make: object, reason: str | None) -> None:
    """Nothing hangs, and the error is in words."""
    path = tmp_path / "x.log"
    make(path)  # type: ignore[operator]

    def attempt() -> list[Record]:
        with logs.open_log(str(path)) as stream:
            return list(logs.read(stream, Source(str(path)), tuple))

    if reason is None:
        assert attempt()
    else:
        with pytest.raises(logs.NotALog, match=reason):
            attempt()


# a hole: the writer of a truncated log has not written since
BLANK = {
    "nothing": b"",
    "a hole": b"\0" * 200_000,
    "blank lines": b"\n \r\n\t\n",
    "a hole and a line": b"\0" * 99 + b"\n",
}


@pytest.mark.parametrize("content", BLANK.values(), ids=BLANK)
def test_a_log_without_a_line_is_blank(content: bytes, rules: tuple[Rule, ...], tmp_path: Path) -> None:
    """That is said to whoever reads it, and is as well on a host, whose logs are rolled."""
    with pytest.raises(logs.Blank):
        list(logs.read(io.BytesIO(content), Source("x"), tuple))

    log = tmp_path / "var/log/aws/codedeploy-agent/codedeploy-agent.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(content)
    found = runs.check(rules, Host.snapshot(str(tmp_path)))
    assert not found.problems
    assert [check.outcome for check in found.checks if check.id == "command-access-denied"] == [Outcome.PASS]


def test_links_are_not_followed_where_anybody_may_write(tmp_path: Path) -> None:
    """/tmp holds the update log of 1.x, and may hold a link to anything."""
    (tmp_path / "secret").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "secret")

    logs.open_log(str(tmp_path / "link")).close()
    with pytest.raises(OSError, match="link"):
        logs.open_log(str(tmp_path / "link"), own=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_of_strangers_are_not_trusted_there(tmp_path: Path) -> None:
    """The installer runs as root, so its log is root's."""
    (tmp_path / "x.log").write_text("x")
    os.chown(tmp_path / "x.log", 12345, 12345)

    with pytest.raises(logs.NotALog, match="another user"):
        logs.open_log(str(tmp_path / "x.log"), own=True)


def hours(count: int, zone_mark: str) -> bytes:
    """A log with one line a second over some hours; ``zone_mark`` makes it 1.x or 2.x."""
    begin = datetime(2026, 11, 22, 0, 0, 0, tzinfo=UTC).timestamp()
    stamps = (datetime.fromtimestamp(begin + second, UTC) for second in range(count * 3600))
    return "".join(f"{stamp:%Y-%m-%d %H:%M:%S}{zone_mark}\n" for stamp in stamps).encode()


AGES = {
    "local stamps": (" INFO  [codedeploy-agent(21)]: a line", 6),
    "utc stamps of 2.x": ("  INFO Worker 7 says something here", 6),
    "no stamps at all": (" nothing that is a level", 6),
}


@pytest.mark.parametrize(("mark", "hour"), AGES.values(), ids=AGES)
def test_seek_goes_before_the_age(mark: str, hour: int) -> None:
    """It lands before the first line of that age, and not far before it."""
    data = hours(12, mark)
    stream = io.BytesIO(data)
    since = datetime(2026, 11, 22, hour, tzinfo=UTC).timestamp()

    offset = logs.seek(stream, since, UTC)

    first = data[offset : offset + 19].decode()
    assert stream.tell() == offset
    assert offset == 0 or data[offset - 1 : offset] == b"\n"
    assert "2026-11-22 04:00:00" < first <= "2026-11-22 06:00:00"
