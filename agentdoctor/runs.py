"""The compositions behind check and scan: real parts put together, no judgement of their own."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from agentdoctor import layout, logs
from agentdoctor.asking import TOTAL_SECONDS, Asker
from agentdoctor.doctor import Doctor
from agentdoctor.evidence import Ask
from agentdoctor.grammars import Source
from agentdoctor.host import Host
from agentdoctor.model import Evidence, Finding, Rule, State
from agentdoctor.nearest import nearest
from agentdoctor.report import Run, steps
from agentdoctor.scrub import line


def scan(rules: Sequence[Rule], paths: Sequence[str]) -> Run:
    """Findings in log text alone. Files are read in the order of their first stamps; ``-`` is standard input.

    Stamps without a zone are taken as this machine's local time.
    """
    started, clock = time.time(), time.monotonic()
    doctor = Doctor(rules)
    problems: list[str] = []
    kinds: set[str] = set()
    blank: list[str] = []
    printed = False  # what a hook did, in whatever kind of text
    for path in sorted(dict.fromkeys(paths), key=lambda path: (path == "-", _first_stamp(path))):
        try:
            with _stdin() if path == "-" else logs.open_log(path) as stream:
                for record in logs.read(stream, Source(path), doctor.wanted):
                    kinds.add(record.log)
                    printed = printed or bool(record.deployment.event)
                    doctor.observe(record)
        except logs.Blank:
            blank.append(path)
        except (OSError, EOFError) as error:
            problems.append(f"{path}: {reason(error)}{_nearest_file(path, error)}")
    findings = doctor.findings(started)
    if not (findings or problems or doctor.unexplained()):
        problems = _what_tells_nothing(blank if len(blank) == len(set(paths)) else [], kinds, printed)
    return Run(
        mode="scan",
        started_at=started,
        duration_ms=(time.monotonic() - clock) * 1000,
        findings=findings,
        checks=doctor.checks(findings, set() if problems and not findings else kinds or {"text"}),
        unexplained=doctor.unexplained(),
        rules=rules,
        problems=problems,
    )


def _stdin() -> logs.Stream:
    """Standard input, through a descriptor of its own that may be closed. NotALog when the command before gave none."""
    stream = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    if not stream.peek(1):
        stream.close()
        raise logs.NotALog("nothing was read")
    return stream


def _what_tells_nothing(blank: Sequence[str], kinds: set[str], printed: bool) -> list[str]:
    """Why no finding is no good news: what was read is no log, or holds nothing. ``blank``: those files."""
    if kinds == {"text"} and printed:
        return ["what a hook printed, without the agent's own words, does not tell whether it failed"]
    if kinds == {"text"}:
        return ["no line is one of the agent's, of its installer's or of a hook's log: that tells nothing of a failure"]
    return [f"{path}: is empty" for path in blank]


def reason(error: Exception) -> str:
    """Why a file could not be read, in words."""
    return getattr(error, "strerror", None) or str(error) or "cannot be read"


def _nearest_file(path: str, error: Exception) -> str:
    if not isinstance(error, FileNotFoundError):
        return ""
    directory, name = os.path.split(path)
    try:
        return nearest(name, os.listdir(directory or "."))
    except OSError:
        return ""


_STAMP = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def _first_stamp(path: str) -> bytes:
    """The first stamp of a file, as text that sorts; empty when there is none or it cannot be read."""
    try:
        with logs.open_log(path) as file:
            found = _STAMP.search(file.read(4096) or b"")
    except (OSError, EOFError):
        return b""
    return found[0].replace(b"T", b" ") if found else b""


def check(
    rules: Sequence[Rule],
    host: Host,
    since: float | None = None,
    seconds: float | None = None,
    network: bool = True,
    asker: Asker | None = None,
) -> Run:
    """Logs and host together. ``since``: seconds since the epoch before which logs are not read.

    ``network``: whether probes may connect to what is not on this host. ``asker``: instead of one that these make.
    """
    started, clock = host.now(), time.monotonic()
    asker = asker or Asker(host, TOTAL_SECONDS if seconds is None else seconds, network)
    standing = {name for rule in rules if rule.standing for way in rule.confirm for name in way}
    asker.start(standing | {"imds.document", "package.version", RESTART})
    doctor = Doctor(rules)
    problems, notes = list(host.problems), list(host.notes)
    kinds: set[str] = set()
    if host.live or host.journal:  # first: what it tells is mostly over by what the agent logs later
        kinds |= _read_journal(doctor, host, since or 0.0, notes)
    kinds |= _read_logs(doctor, host, since, problems)
    asker.start(doctor.questions())
    findings = doctor.findings(started, asker.ask)
    host_values = identity(host, asker.ask)
    return Run(
        mode="check",
        started_at=started,
        duration_ms=(time.monotonic() - clock) * 1000,
        findings=findings,
        checks=doctor.checks(findings, kinds, asker.ask),
        unexplained=doctor.unexplained(),
        host=host_values,
        rules=rules,
        problems=problems,
        notes=notes,
        restart=asker.ask(RESTART).value if _restarts(findings, host_values) else None,
    )


RESTART = "unit.restart_risk"


def _restarts(findings: Sequence[Finding], host: Mapping[str, Any]) -> bool:
    """Whether a step that is told restarts the agent. What that would hit was looked at in the meantime."""
    told = (finding for finding in findings if finding.state in (State.ACTIVE, State.QUIET))
    return any(step.risk == "from-host" for finding in told for step in steps(finding, host))


# Where the installer of 1.x logs, and where everybody may put what they like.
PUBLIC = "/tmp"  # noqa: S108


def _read_logs(doctor: Doctor, host: Host, since: float | None, problems: list[str]) -> set[str]:
    """Observe every record of the agent's logs; returns the kinds of logs that could be read."""
    kinds = set()
    for kind, absolute in log_files(host, problems):
        try:
            path = host.path(absolute)
            if since is not None and os.stat(path).st_mtime < since:
                kinds.add(kind)
                continue
            with logs.open_log(path, own=host.live and absolute.startswith(PUBLIC)) as stream:
                offset = logs.seek(stream, since, host.zone()) if since is not None else 0
                for record in logs.read(stream, Source(absolute, host.zone()), doctor.wanted, offset):
                    doctor.observe(record)
            kinds.add(kind)
        except logs.Blank:
            kinds.add(kind)
        except FileNotFoundError:
            continue  # rotated away between the listing and now
        except (OSError, EOFError) as error:
            problems.append(f"{absolute}: {reason(error)}")
    return kinds


def _read_journal(doctor: Doctor, host: Host, since: float, notes: list[str]) -> set[str]:
    """Observe the journal of the agent's unit. Where it cannot be read, systemd itself is asked all the same."""
    from agentdoctor import journal

    try:
        for record in journal.read(since) if host.live else journal.written(host.path(host.journal)):
            doctor.observe(record)
    except OSError as error:
        notes.append(f"the journal {reason(error)}")
        return set()
    return {"journal"}


def log_files(host: Host, problems: list[str]) -> list[tuple[str, str]]:
    """The agent's logs that exist, as (kind, path), rolled ones before the present one."""
    where = layout.read(host)
    name = re.escape(where.program_name)
    wanted = (
        ("agent", where.log_dir, rf"{name}(\.\d{{8}}(\.\d+)?)?\.log"),
        ("deployment", f"{where.root_dir}/deployment-logs", rf"{name}-deployments\.log(\.\d+)?"),
        ("update", where.log_dir, rf"{name}-updater\.log"),
        ("update", PUBLIC, rf"{name}\.update\.log(\.\d+)?"),
    )
    found: list[tuple[str, str]] = []
    for kind, directory, pattern in wanted:
        try:
            names = [x for x in host.listing(directory) if re.fullmatch(pattern, x)]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problems.append(f"{directory}: {reason(error)}")
            continue
        found += [(kind, f"{directory}/{x}") for x in sorted(names, key=_age)]
    return found


def _age(name: str) -> tuple[int, ...]:
    """Oldest first: dated files by date, numbered ones backwards, the present one last."""
    dated = re.search(r"\.(\d{8})(?:\.(\d+))?\.log$", name)
    if dated:
        return (0, int(dated[1]), int(dated[2] or 0))
    numbered = re.search(r"\.log\.(\d+)$", name)
    return (1, -int(numbered[1])) if numbered else (2,)


def identity(host: Host, ask: Ask) -> dict[str, object]:
    """Who this host is, as far as it could be learned."""
    document = _value(ask("imds.document", {}))
    version = _value(ask("package.version", {}))
    agent = {"kind": _shown(version.get("generation")), "version": _shown(version.get("file_version"))}
    return {
        "name": _shown(os.uname().nodename if host.live else host.name),
        "instance_id": _shown(document.get("instance_id")),
        "region": _shown(document.get("region")),
        "os": _shown(_os_name(host)),
        "agent": agent,
    }


def _shown(text: object) -> str | None:
    """Every report shows it, so it must be fit for that: a snapshot may say anything."""
    return line(str(text)) or None if text else None


def _value(evidence: Evidence) -> dict[str, str]:
    return dict(evidence.value or {})


def _os_name(host: Host) -> str | None:
    try:
        found = re.search(r'^PRETTY_NAME="?([^"\n]+)', host.read("/etc/os-release"), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None
