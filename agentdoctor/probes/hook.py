"""The script of a hook, as it lies in the unpacked revision: is it there, and can the kernel start it."""

from __future__ import annotations

import difflib
import os
import posixpath
import stat
from dataclasses import dataclass

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._archive import FOLDER, is_directory, of_finding
from agentdoctor.probes._hook_log import printed, run_of

_READ = 64 << 10  # bytes of a script that are looked at
_FILES = 2000  # files among which a nearest name is searched
_BOM = b"\xef\xbb\xbf"
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")  # where env looks
_LIKE = 0.75  # start-server.sh is like start_server.sh, and stop.sh is not like start.sh
_KNOWN = ("executable", "crlf", "crlf_first", "bom", "shebang", "interpreter_exists", "kind", "size")
_ABOUT = ("script", "path", "event", "deployment_id", "group_id", "printed")


@dataclass(frozen=True)
class Script:
    """Where a script must lie: an archive of the host, and a place in it."""

    archive: str
    location: str


@probe("hook.script", source="disk", live=False, also=_ABOUT)
def script(look: Look) -> Values:
    """``{archive_found, exists, near, has_space}`` and what _inspect sees of it.

    Of the script ``script`` (its location) or ``path`` in the revision that its event runs (hook_executor.rb:278-287).
    ``near`` is the nearest name of a file that is there, where it is not. ``crlf``: a carriage return before a line
    feed in the first 64 KiB, ``crlf_first``: in the first line, which is what the kernel stumbles over. ``shebang`` is
    the first line if it is one, without #!, ``kind`` is script (it has one), elf or text, ``size`` is in bytes.
    Where only ``printed`` words of the running hook tell of it, another file may be meant, so what is in order
    here is None. None as well: all of a script that is not there, and the interpreter in a copied tree without it.
    """
    where = _where(look)
    values: Values = {"archive_found": True, "exists": True, "near": "", "has_space": " " in where.location}
    if not is_directory(look.host, where.archive):
        return {**values, "archive_found": False, "exists": None, **dict.fromkeys(_KNOWN)}
    path = _inside(look.host, where)
    if path is None:
        near = _near(look.host.path(where.archive), where.location)
        return {**values, "exists": False, "near": near, **dict.fromkeys(_KNOWN)}
    seen = _inspect(look.host, path)
    return {**values, **(_only_bad(seen) if look.about.get("printed") else seen)}


@probe("hook.run", source="log", live=False, about=("script", "event", "deployment_id"), also=("group_id",))
def run(look: Look) -> Values:
    """``{log, group_id, started, followed, after}``: whether the script ran in its event and was the last one that did.

    By scripts.log of the deployment. The agent ends an event with the first script that fails, so one that was
    ``followed``, by ``after``, is not the one that failed. The log holds no exit code (agent.md 2.3). None for an event
    of which the log does not tell, or no more than the end was read.
    """
    group, log, text = printed(look)
    seen = run_of(text, look.about["event"], look.about["script"].strip())
    followed = None if seen.after is None else bool(seen.after)
    untold = {"reason": f"{log} does not tell of that event"} if seen.started is None else {}
    told = {"log": log, "group_id": group, "started": seen.started, "followed": followed, "after": seen.after}
    return {**told, **untold}


def _where(look: Look) -> Script:
    """Checked, because a log names it: below the deployment archive, and without a way up."""
    archive = of_finding(look.host, look.about)
    location = look.about.get("script", "")
    if not location or f"/{FOLDER}/" in location:
        location = (location or look.about.get("path", "")).partition(f"/{FOLDER}/")[2]
    relative = posixpath.normpath(location.lstrip("/"))
    if not location or relative.startswith("..") or "\0" in relative:
        raise CannotLook("the log does not say which script of the revision it is")
    return Script(archive, relative)


def _inside(host: Host, where: Script) -> str | None:
    """The real path of the script, None if nothing is there. The agent follows links; we do within the archive."""
    archive = os.path.realpath(host.path(where.archive))
    joined = os.path.join(archive, where.location)
    real = os.path.realpath(joined)
    if not real.startswith(f"{archive}/"):
        raise CannotLook("the script is a link out of the revision")
    return real if os.path.exists(real) else None


def _inspect(host: Host, path: str) -> Values:
    """``{executable, crlf, crlf_first, bom, shebang, interpreter_exists, kind, size}`` of a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise CannotLook("what lies at the place of the script is no file")
        text = file.read(_READ)
    first = text.partition(b"\n")[0]
    shebang = first[2:].decode("utf-8", "replace").strip()[:200] if first.startswith(b"#!") else ""
    return {
        "executable": bool(found.st_mode & 0o111),
        "crlf": b"\r\n" in text,
        "crlf_first": first.endswith(b"\r"),
        "bom": text.startswith(_BOM),
        "shebang": shebang,
        "interpreter_exists": _interpreter(host, shebang),
        "kind": "elf" if text.startswith(b"\x7fELF") else "script" if shebang else "text",
        "size": found.st_size,
    }


def _interpreter(host: Host, shebang: str) -> bool | None:
    """Whether the program of a first line is there; None without one, and where a copied tree does not have it."""
    words = shebang.split()
    if not words:
        return None
    through_env = posixpath.basename(words[0]) == "env" and len(words) > 1 and not words[1].startswith("-")
    places = [f"{folder}/{words[1]}" for folder in _PATH] if through_env else [words[0]]
    if any(place.startswith("/") and os.path.isfile(host.path(place)) for place in places):
        return True
    return False if host.live else None


def _only_bad(seen: Values) -> Values:
    """Without what says that all is well: it may be another file that the words are about."""
    well = {"executable": True, "crlf": False, "bom": False, "interpreter_exists": True}
    bad = {key: None if key in well and value is well[key] else value for key, value in seen.items()}
    return {**bad, "kind": "elf" if seen["kind"] == "elf" else None}


def _near(archive: str, location: str) -> str:
    """The file of the archive whose name is nearest to a location, "" if none is like it."""
    files = []
    for folder, _, names in os.walk(archive):
        files += [os.path.relpath(os.path.join(folder, name), archive) for name in names]
        if len(files) > _FILES:
            break
    wanted = posixpath.basename(location).lower()
    likeness = {
        name: difflib.SequenceMatcher(None, posixpath.basename(name).lower(), wanted).ratio() for name in files[:_FILES]
    }
    like = [name for name in files[:_FILES] if likeness[name] >= _LIKE]
    return min(like, key=lambda name: (-likeness[name], len(name)), default="").encode("utf-8", "replace").decode()
