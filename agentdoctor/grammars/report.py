"""The diagnosis inside ``put_host_command_complete``: Ruby-inspected JSON, sometimes cut, and a base64 identifier."""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import Any

from agentdoctor.model import Deployment, Report

# An INFO line with HTTP 200 even when the event failed (command_poller.rb:123,147,155). Strings of over 1,000
# characters are logged as #<String "first 1000" ... (N bytes)>; a paste may end anywhere.
_CALL = re.compile(
    r'put_host_command_complete\(command_status:"\w+",\s*diagnostics:\s*\{format:"JSON",\s*'
    r'payload:\s*(?:#<String )?"(?P<payload>[^"\\]*(?:\\.[^"\\]*)*)',
    re.DOTALL,
)
# AWS did not take it: what it says is not known there, and a "Succeeded" proves nothing.
_REFUSED = re.compile(r"\[Aws::CodeDeployCommand::Client (?!200 )\d+ [^\]]*\] $")
_IDENTIFIER = re.compile(r'host_command_identifier:"([^"]*)')
_BEGIN = re.compile(r'\{\\?"error_code\\?":')
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}

EVENTS = (
    "ApplicationStop DownloadBundle BeforeInstall Install AfterInstall ApplicationStart ValidateService"
    " BeforeBlockTraffic BlockTraffic AfterBlockTraffic BeforeAllowTraffic AllowTraffic AfterAllowTraffic"
).split()
# These run the scripts of the last successful revision, not of the one being deployed (hook_executor.rb:71-79).
LAST_REVISION_EVENTS = ("ApplicationStop", "BeforeBlockTraffic", "AfterBlockTraffic")

_DEPLOYMENT = re.compile(r"\bd-[A-Z0-9]{9}\b")
_EVENT = re.compile(r"\b(?:" + "|".join(EVENTS) + r")\b")
_ARCHIVE = re.compile(r"/(?P<group>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?P<id>d-[A-Z0-9]{9})/")


def decode(message: str) -> Report | None:
    """The report in a log message, None if there is none or AWS refused it. A cut payload gives what is left of it."""
    call_line, found, arguments = message.partition("put_host_command_complete(")
    if not found:
        return _piece(message)
    if _REFUSED.match(call_line):
        return None
    if arguments.startswith('command_status:"Succeeded"'):  # what it says beside that is of no use
        identifier = _IDENTIFIER.match(message, message.rfind("host_command_identifier:"))
        return Report(True, 0, "", "", "", identifier[1] if identifier else "")
    call = _CALL.search(message)
    if not call:
        return None
    fields = _fields(uninspect(call["payload"])) or _remains(message[call.start() :])
    identifier = _IDENTIFIER.search(message, call.end())
    code = fields.get("error_code")
    return Report(
        succeeded=False,
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        script=str(fields.get("script_name", "")),
        message=str(fields.get("message", "")),
        log=str(fields.get("log", "")),
        identifier=identifier[1] if identifier else "",
    )


def _piece(message: str) -> Report | None:
    """What people copy out of the line: the payload alone, with the backslashes of the log or without."""
    begin = _BEGIN.search(message) if "error_code" in message else None
    if not begin:
        return None
    fields = _remains(uninspect(message[begin.start() :]))
    code = fields.get("error_code")
    script, told, log = (str(fields.get(name, "")) for name in ("script_name", "message", "log"))
    return Report(code == 0, code, script, told, log, identifier="")


def uninspect(text: str) -> str:
    """Undo Ruby's String#inspect. Mostly it has only escapes that JSON has too, and JSON is faster."""
    try:
        return str(_strict.decode(f'"{text}"'))
    except ValueError:
        return _ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _SIMPLE.get(code, code)
    number = int(code.strip("ux{}"), 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def _fields(payload: str) -> dict[str, Any]:
    try:
        whole = _json.decode(payload)
    except (ValueError, RecursionError):
        return _remains(payload)
    return whole if isinstance(whole, dict) else {}


_json, _strict = json.JSONDecoder(strict=False), json.JSONDecoder()
_CODE = re.compile(r'"error_code":\s*(\d)')
_TEXT = re.compile(r'"(script_name|message|log)":\s*"([^"\\]*(?:\\.[^"\\]*)*)', re.DOTALL)


def _remains(payload: str) -> dict[str, Any]:
    """The fields of a payload that was cut: whole ones, and the beginning of the last."""
    found: dict[str, Any] = {name: _json_text(raw) for name, raw in _TEXT.findall(payload)}
    code = _CODE.search(payload)
    if code:
        found["error_code"] = int(code[1])
    return found


def _json_text(raw: str) -> str:
    try:
        return str(_json.decode(f'"{raw}"'))
    except ValueError:
        return raw


@lru_cache(maxsize=64)  # a report and its echo, and what succeeded around them
def identify(identifier: str) -> Deployment:
    """Deployment id and lifecycle event from a host command identifier; its form differs over the years."""
    whole = identifier[: len(identifier) // 4 * 4]
    try:
        plain = base64.b64decode(whole).decode("utf-8", "replace")
    except ValueError:
        return Deployment()
    id_, event = _DEPLOYMENT.search(plain), _EVENT.search(plain)
    return Deployment(id=id_[0] if id_ else "", event=event[0] if event else "")


_NO_DEPLOYMENT = Deployment()


def about(message: str, identifier: str, id_: str = "", event: str = "") -> tuple[Deployment, str]:
    """Which deployment a message is about, and which revision: "current", "last" or "" where it cannot be told.

    ``id_`` and ``event`` are what is known already. A path below another deployment's directory is the last
    successful revision, whatever the event.
    """
    if identifier:
        named = identify(identifier)
        id_, event = id_ or named.id, event or named.event
    path = _ARCHIVE.search(message) if "/d-" in message else None
    if not (id_ or event or path):
        return _NO_DEPLOYMENT, ""
    found = Deployment(id_ or (path["id"] if path else ""), path["group"] if path else "", event)
    return found, _revision(event, id_, path["id"] if path else "")


def _revision(event: str, own_id: str, path_id: str) -> str:
    if event in LAST_REVISION_EVENTS or (own_id and path_id and own_id != path_id):
        return "last"
    return "current" if event else ""
