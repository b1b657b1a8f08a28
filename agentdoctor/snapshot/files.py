"""What a snapshot takes of the disk: the agent's logs, its settings and notes, and the shape of its revisions.

Never taken: what bundles hold beside AppSpec and hook scripts, the wire log, credentials of any user, environments.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from agentdoctor import layout, logs, runs
from agentdoctor.appspec.reading import read
from agentdoctor.grammars.report import EVENTS
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, _appspec
from agentdoctor.probes._archive import FOLDER, is_directory, names

LOG_LIMIT = 8 << 20  # bytes of a log, the newest
OUTPUT_LIMIT = 256 << 10  # bytes of a scripts.log, the newest
TEXT_LIMIT = 8 << 20  # bytes of a file of the agent's; a clean-up list has a line per installed file
SCRIPT_LIMIT = 64 << 10
TOTAL_LIMIT = 64 << 20
ENTRIES = 5000  # names of a revision
REVISIONS = 40
_VERSION, _SYSTEM = "/opt/codedeploy-agent/.version", "/etc/os-release"
_NOTES = ("deployment-instructions", "ongoing-deployment")
_OWN = (*_NOTES, "deployment-logs")
_KEY = re.compile(r"^(:?[\w-]+):", re.MULTILINE)


@dataclass(frozen=True)
class Item:
    """A file of the host, or a directory. ``note`` says what of it was not taken; ``size`` is what it has there."""

    path: str
    content: bytes = b""
    mode: int = 0o644
    changed: float = 0.0  # seconds since the epoch
    size: int = 0
    note: str = ""
    directory: bool = False


@dataclass
class Files:
    """What was taken by path, and what was left out by path with the reason."""

    items: dict[str, Item] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    room: int = TOTAL_LIMIT

    def add(self, path: str, status: os.stat_result, content: bytes, note: str = "") -> None:
        if len(content) > self.room:
            self.left_out[path], content = f"the snapshot would become larger than {TOTAL_LIMIT >> 20} MB", b""
            note = "its name alone"
        self.room -= len(content)
        mode = stat.S_IMODE(status.st_mode) & 0o777
        directory = stat.S_ISDIR(status.st_mode)
        size = 0 if directory else status.st_size
        self.items.setdefault(path, Item(path, content, mode, status.st_mtime, size, note, directory))


def collect(host: Host, since: float | None) -> Files:
    """All that is taken, what matters most first. ``since``: seconds since the epoch before which logs are not."""
    found, known = Files(), layout.read(host)
    for path in (*layout.CONFIGURATION, _VERSION, _SYSTEM):
        _text(found, host, path)
    _keys(found, host, known.on_premises_config_file)
    for _, path in runs.log_files(host, []):
        _log(found, host, path, since)
    for folder in (f"{known.root_dir}/{name}" for name in _NOTES):
        for name in _names(found, host, folder):
            _text(found, host, f"{folder}/{name}")
    for folder in _revisions(found, host, known.root_dir):
        _revision(found, host, folder)
    _tell(found, host, known)
    return found


def _read(host: Host, path: str, limit: int) -> tuple[os.stat_result, bytes]:
    """A regular file and its first bytes. OSError for anything else."""
    descriptor = os.open(host.path(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("is not a regular file")
        return status, file.read(limit)


def _text(found: Files, host: Host, path: str, limit: int = TEXT_LIMIT) -> None:
    """Take a file as it is; of one that is no text its first bytes, by which programs are known."""
    try:
        status, content = _read(host, path, limit)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        found.left_out[path] = runs.reason(error)
        return
    note = f"its first {limit >> 10} kB" if status.st_size > len(content) else ""
    if logs.is_binary(content) or (content.strip(b"\0") and b"\0" in content):
        content, note = content[:4], "is not text: its first 4 bytes"
    found.add(path, status, content, note)


def _keys(found: Files, host: Host, path: str) -> None:
    """Of the on-premises configuration, which holds credentials, the names of its settings."""
    try:
        status, content = _read(host, path, SCRIPT_LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        found.left_out[path] = runs.reason(error)
        return
    lines = (f"{key}: <removed>\n" for key in _KEY.findall(content.decode("utf-8", "replace")))
    found.add(path, status, "".join(lines).encode(), "names of settings, no values")


def _log(found: Files, host: Host, path: str, since: float | None) -> None:
    """The part of a log that check reads, at most its newest bytes."""
    try:
        place = host.path(path)
        status = os.stat(place)
        if since is not None and status.st_mtime < since:
            found.add(path, status, b"", "older than asked for: its name alone")
            return
        with logs.open_log(place, own=host.live and path.startswith(runs.PUBLIC)) as stream:
            offset = logs.seek(stream, since, host.zone()) if since is not None else 0
            content, cut = _newest(stream, offset, LOG_LIMIT)
        if logs.is_binary(content[: logs.PASTE]):
            found.left_out[path] = "is not a text file"
            return
        found.add(
            path, status, content, f"its newest {LOG_LIMIT >> 20} MB" if cut else "its newest part" if offset else ""
        )
    except FileNotFoundError:
        return  # rotated away just now
    except (OSError, EOFError) as error:
        found.left_out[path] = runs.reason(error)


def _newest(stream: logs.Stream, offset: int, limit: int) -> tuple[bytes, bool]:
    """Whole lines from an offset to the end, the newest, and whether some were cut off before them."""
    end = stream.seek(0, io.SEEK_END)  # of a packed one too, which is unpacked for it
    begin = max(offset, end - limit)
    stream.seek(begin)
    content = b""
    while len(content) < end - begin and (part := stream.read(end - begin - len(content))):
        content += part
    return (content, False) if begin == offset else (content[content.find(b"\n") + 1 :], True)


def _names(found: Files, host: Host, folder: str) -> list[str]:
    """Names in a directory, which is taken too; none if it is not there or not for us."""
    try:
        listed = host.listing(folder)
        found.add(folder, os.stat(host.path(folder)), b"")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        found.left_out[folder] = runs.reason(error)
        return []
    if len(listed) > ENTRIES:
        found.left_out[folder] = f"{len(listed) - ENTRIES} of {len(listed)} names"
    return listed[:ENTRIES]


def _revisions(found: Files, host: Host, root: str) -> list[str]:
    """The folders of deployments, the newest first."""
    groups = [f"{root}/{name}" for name in _names(found, host, root) if name not in _OWN]
    folders = [
        f"{group}/{name}" for group in groups if is_directory(host, group) for name in _names(found, host, group)
    ]
    folders = [folder for folder in folders if is_directory(host, folder)]
    folders.sort(key=lambda folder: (-os.stat(host.path(folder)).st_mtime, folder))
    for folder in folders[REVISIONS:]:
        found.left_out[folder] = f"older than the newest {REVISIONS} revisions"
    return folders[:REVISIONS]


def _revision(found: Files, host: Host, folder: str) -> None:
    """Names and modes of a revision, the contents of its AppSpec and hook scripts, the end of what they printed."""
    wanted = _wanted(host, f"{folder}/{FOLDER}")
    for number, (path, status) in enumerate(_walk(host, folder)):
        if number >= ENTRIES:
            found.left_out[f"{folder}/..."] = f"the names after the first {ENTRIES}"
            return
        if path == f"{folder}/bundle.tar":
            found.left_out[path] = "contents of bundles are not taken"
        elif path == f"{folder}/logs/scripts.log":
            _output(found, host, path)
        elif stat.S_ISREG(status.st_mode) and path in wanted:
            _text(found, host, path, SCRIPT_LIMIT)
        else:
            found.add(path, status, b"", "" if stat.S_ISDIR(status.st_mode) else "its name alone")


def _walk(host: Host, folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Directories and regular files below a folder; a link counts where it leads to a file."""
    top = host.path(folder)
    for place, folders, files in os.walk(top):
        folders.sort()
        where = folder + place[len(top) :]
        yield where, os.stat(place)
        for name in sorted(files):
            try:
                status = os.stat(os.path.join(place, name))
            except OSError:
                continue  # a link to nothing, for which there is no place in a snapshot
            if stat.S_ISREG(status.st_mode):
                yield f"{where}/{name}", status if not os.path.islink(f"{place}/{name}") else _bare(status)


def _bare(status: os.stat_result) -> os.stat_result:
    """Of a link no content is taken: it is shown as a file of a kind that is none."""
    return os.stat_result((0o644, *status[1:]))


def _wanted(host: Host, archive: str) -> set[str]:
    """The paths of AppSpec and hook scripts of a revision."""
    own = {name for name in names(host, archive) if "appspec" in name.lower()} if is_directory(host, archive) else set()
    found = {f"{archive}/{name}" for name in own}
    try:
        raw = _appspec.find(host, archive) if own else None
    except (CannotLook, OSError):
        raw = None
    if raw is None:
        return found
    document = read(raw)
    places = [place.strip() for event in EVENTS for place in _appspec.locations(document, event)]
    return found | {os.path.normpath(f"{archive}/{place}") for place in places}


def _output(found: Files, host: Host, path: str) -> None:
    try:
        status, content = host.tail(path, OUTPUT_LIMIT)
    except OSError as error:
        found.left_out[path] = runs.reason(error)
        return
    cut = status.st_size > len(content)
    found.add(path, status, content[content.find(b"\n") + 1 :] if cut else content, "its newest part" if cut else "")


def _tell(found: Files, host: Host, known: layout.Layout) -> None:
    """What somebody might look for and must not find."""
    from agentdoctor.probes.config import WIRE_LOGS

    for path in (f"{known.log_dir}/{known.program_name}.{name}" for name in WIRE_LOGS):
        if host.is_file(path):
            found.left_out[path] = "it holds all that the agent says to AWS"
    found.left_out["credentials"] = (
        "what ~/.aws and environments hold is never read into a snapshot, only that it is there"
    )
