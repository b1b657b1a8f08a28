"""Secrets in text: where they stand, and of which kind they are. What replaces one is the caller's choice.

Two ways to know one: by its own form (a key of AWS, a token of GitHub), or by the name that stands before it
(``password:``, ``--token``). Ids, digests, paths, addresses and the agent's base64 identifiers are none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

Name = Callable[[str, str], str]  # kind and secret: what shall stand for it

_BLOCK = 16 * 1024  # characters; most blocks of a log hold no word of ours, so no pattern is tried on them
_KEY_LIMIT = 16 * 1024  # characters of a private key; the largest in use has some 13,000

# Quotes may be escaped, once or twice: the agent logs JSON inside of a Ruby string.
_QUOTED = r"(?P<quote>\\{0,4}[\"'])(?P<quoted>(?:(?!(?P=quote))(?:\\.|[^\n\\])){1,512})(?P=quote)"
_BARE = r"\\{0,4}[\"']?(?P<bare>(?:[^\s\"'\\,;&<]|\\(?![\\nrtu\"'0])){1,4096})"
_VALUE = rf"(?:{_QUOTED}|{_BARE})"
_IS = r"[\"'\\\])]{0,6}[ \t]{0,8}(?:=>|[=:]{1,2})[ \t]{0,8}"
_FIRST = r"(?:(?<![A-Za-z])|(?<=\\[nrt]))"  # the begin of a word, which may stand behind an escaped line break

# What stands where a secret could stand, and is none: a reference, a word that says so, or what we put there.
_NONE = re.compile(
    r"(?i:true|false|nil|null|none|undefined|\*+)|<[^<>]*>|\[removed\]"
    r"|\$\{[^}]*\}|\$\(.*|\$[A-Z_][A-Z0-9_]*|\{\{.*|%[({].*",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z']{1,15}[.,:!]?")


class _Form(NamedTuple):
    """A kind of secret. ``needs``: literals in small letters, one of which is in every text that has it.

    ``prose``: a plain word after the name is the next word of a sentence, as in "ExpiredToken: The provided ...".
    A long choice of words is slow to search for, so it is looked at only behind one that was found.
    """

    kind: str
    needs: tuple[str, ...]
    pattern: str
    prose: bool = False
    behind: str = ""  # what must stand before the match


def _form(kind: str, needs: str, pattern: str, prose: bool = False, behind: str = "") -> _Form:
    return _Form(kind, tuple(needs.split()), pattern, prose, behind)


_compiled = cache(re.compile)  # when a text first needs it: most runs show text that has none of the words


_B64 = r"[A-Za-z0-9+/]"
_FORMS = (
    _form(
        "secret-key", "akia asia", rf"(?:AKIA|ASIA)[A-Z0-9]{{12,28}}[\s\"',:|=]{{1,8}}(?P<bare>{_B64}{{40}})(?![\w+/=])"
    ),
    _form("access-key", "akia asia", r"(?<![A-Z0-9])(?P<bare>(?:AKIA|ASIA)[A-Z0-9]{12,})"),
    _form(
        "session-token",
        "iqojb3 fwogzxivyxdz fqogzxivyxdz aqodyxdz",
        r"(?P<bare>(?:IQoJb3|FwoGZXIvYXdz|FQoGZXIvYXdz|AQoDYXdz)[\w+/=%-]{20,})",
    ),
    _form("metadata-token", "aqaea", r"(?<![\w+/-])(?P<bare>AQAEA[\w-]{40,}={0,2})"),
    _form("jwt", "eyj", r"(?:(?<![\w-])|(?<=\\n))(?P<bare>eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)*)"),
    _form(
        "token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- glptt- glft- glsoat- xox xapp- npm_ pypi-",
        r"(?P<bare>gh[pousr]_\w{20,}|github_pat_\w{20,}|gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{16,}"
        r"|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|npm_\w{30,}|pypi-[\w-]{30,})",
    ),
    _form(
        "api-key",
        "sk_ rk_ whsec_ aiza ya29. gocspx- sg. hvs. hf_ sk- _v1_ dckr_pat_ nrak- glsa_ glc_ dapi shpat_ shpss_ sntrys_"
        " age-secret-key-",
        r"(?<![\w-])(?P<bare>(?:sk|rk)_(?:live|test)_\w{10,}|whsec_[\w+/=]{20,}|AIza[\w-]{35}|ya29\.[\w-]{20,}"
        r"|GOCSPX-[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|hvs\.[\w-]{20,}|hf_\w{30,}|sk-[\w-]{20,}|do[opr]_v1_[0-9a-f]{60,}"
        r"|dckr_pat_[\w-]{20,}|NRAK-\w{20,}|gls?[ac]?_[\w=]{32,}|dapi[0-9a-f]{32}|shp(?:at|ss)_\w{32}|sntrys_[\w+/=]{30,}"
        r"|AGE-SECRET-KEY-1\w{50,})",
    ),
    _form(
        "webhook",
        "hooks.slack.com /webhooks/ webhookb2",
        r"(?:hooks\.slack\.com/(?:services|workflows)|/webhooks/\d+|/webhookb2)/(?P<bare>[\w/@.-]{16,})",
    ),
    _form("password-hash", "$", r"(?P<bare>\$(?:1|2[abxy]?|5|6|7|y|apr1|argon2\w{1,2})\$[\w./$=,+-]{8,})"),
    _form("password-hash", "{sha} {ssha}", r"\{S?SHA\}(?P<bare>[\w+/]{20,}={0,2})"),
    _form("cookie", "cookie", r"(?i)cookie[\"'\\]{0,3}:[ \t]*(?P<bare>[^\n\"'\\]{4,4096})"),
    _form(
        "authorization",
        "authorization",
        r"(?i)authorization[\"'\\]{0,6}[ \t]*[=:][ \t\"'\\]*(?:(?:basic|bearer|token|digest|negotiate|apikey)[ \t]+)?"
        r"(?!(?:basic|bearer|token|digest|negotiate|apikey)[ \t])(?P<bare>AWS4-HMAC-SHA256[^\n\"'\\]*|[^\s\"'\\,<]+)",
    ),
    _form("bearer", "bearer", rf"(?i){_FIRST}bearer[ \t]+(?P<bare>[\w.~+/=-]{{16,}})"),
    _form("basic-auth", "basic", rf"(?i){_FIRST}basic[ \t]+(?P<bare>[A-Za-z0-9+/]{{8,}}={{0,2}})"),
    _form("basic-auth", "auth", rf"(?:[\"']auth[\"'\\]{{1,4}}[ \t]*:|\b_auth[ \t]*=)[ \t]*{_VALUE}"),
    _form("password", "://", r"\w://[^/\s:@\"'<>\\]*:(?P<bare>[^/\s\"'<>\\]+)@"),
    _form("token", "://", r"\w://(?P<bare>[^/\s:@\"'<>\\]{16,})@"),
    _form(
        "signature",
        "signature x-amz-credential x-amz-security-token sig= token=",
        r"(?i)(?:[?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|signature|sig|(?:access_|id_)?token)="
        r"|\bsignature=)(?P<bare>[^&\s\"'\\<,]+)",
    ),
    _form("password", "password", r"(?im)^[ \t]*(?:account|password)[ \t]+(?P<bare>[^\s<]+)[ \t]*$"),
    _form("password", "login", r"(?i)\blogin[ \t]+\S{1,100}[ \t]+password[ \t]+(?P<bare>[^\s<]+)"),
    _form(
        "password",
        "pass secret token key",
        r"(?i)(?<![\w-])--?(?:[\w-]{0,40}(?:password|passwd|passphrase|pass|secret|token|api-?key|access-?key"
        rf"|private-?key))[ \t]+(?!-){_VALUE}",
    ),
    _form(
        "password",
        "curl wget mysql sshpass redis-cli login pass: chpasswd htpasswd",
        rf"{_FIRST}(?:(?:curl|wget)\b[^\n|;]{{0,200}}?[ \t](?:-u|-U|--user|--proxy-user)[ \t]*[\"']?[^\s:\"']{{0,200}}:"
        r"|mysql\w*\b[^\n|;]{0,200}?[ \t]-p|sshpass[ \t]+-p[ \t]*|redis-cli\b[^\n|;]{0,200}?[ \t]-a[ \t]+"
        r"|login\b[^\n|;]{0,200}?[ \t]-p[ \t]+|-pass(?:in|out)?[ \t]+pass:"
        rf"|htpasswd[ \t]+-\w*b\w*[ \t]+\S{{1,200}}[ \t]+\S{{1,200}}[ \t]+){_VALUE}",
    ),
    _form("password", "chpasswd", r"[\w.-]{1,64}:(?P<bare>[^\s\"'|<]+)[\"']?[ \t]*\|[ \t]*(?:sudo[ \t]+)?chpasswd"),
    _form(
        "secret-key",
        "key",
        rf"(?i)secret[_-]?(?:access[_-]?)?key(?:[_-]?base)?{_IS}{_VALUE}",
    ),
    _form("password", "pass", rf"(?i)pass(?:word|wd|phrase)(?:[_-]?(?:hash|value|text|\d))?{_IS}{_VALUE}"),
    _form("password", "pass", rf"(?i)(?<![a-z])pass{_IS}{_VALUE}", prose=True),
    _form("password", "pwd", rf"(?i)pwd{_IS}(?!\\{{0,4}}[\"']?[/~$]){_VALUE}"),
    _form("secret", "secret", rf"(?i)(?<!\d:)secret(?:[_-]?(?:string|value|text|\d))?{_IS}{_VALUE}", prose=True),
    _form("token", "token", rf"(?i)token(?:[_-]?(?:value|\d))?{_IS}{_VALUE}", prose=True),
    _form(
        "key",
        "key",
        rf"(?i)key(?:[_-]?(?:base|value|\d))?{_IS}{_VALUE}",
        prose=True,
        behind=r"(?i)(?:api|access|private|encryption|signing|master|account|auth|deploy|license|client|storage|service"
        r"|admin|app|application|jwt|session|hmac)[_-]?$",
    ),
    _form(
        "password",
        "</",
        r"(?i)<[\w.:-]{0,40}(?:password|passwd|passphrase|secret|token|api-?key|private-?key)>(?P<bare>[^<\n]{1,4096})</",
    ),
    _form(
        "password",
        "pass secret token",
        r"(?i)(?:password|passwd|passphrase|secret|token)\"?:[ \t]*[|>][+-]?[ \t]*\n[ \t]+(?P<bare>[^\s<]+)",
    ),
)

_PEM = re.compile(r"-----(?P<edge>BEGIN|END) [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
# Of a key without an end: what follows on its line, and lines that begin no new entry of a log or hold base64.
_OPEN = re.compile(r"[^\n]*(?:\n(?:(?!\[?\d{4}-\d\d-\d\d[T ])|(?=[^\n]*[A-Za-z0-9+/=]{16}))[^\n]*)*")
_RUN = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{16,}(?![A-Za-z0-9+/=])")


def replace(text: str, name: Name) -> str:
    """The text with each secret replaced by what ``name`` makes of its kind and itself; all else is as it was."""
    if "PRIVATE KEY" in text:
        text = "".join(_without_keys(text, name))
    return "".join(_in_block(block, name) for block in _blocks(text))


def _without_keys(text: str, name: Name) -> Iterator[str]:
    """The text without private keys, whole ones and ones that a log was cut in: from either end."""
    edges = list(_PEM.finditer(text))
    done = 0
    for edge, following in zip(edges, [*edges[1:], None], strict=True):
        if edge.start() < done:
            continue
        if edge["edge"] == "END":  # a log that was cut to its last bytes holds the end of a key
            middle = max(done, edge.start() - _KEY_LIMIT)
            yield text[done:middle]
            yield _RUN.sub(lambda run: name("private-key", run[0]), text[middle : edge.start()])
            done = edge.start()
            continue
        whole = following and following["edge"] == "END" and following.start() - edge.end() <= _KEY_LIMIT
        end = following.end() if following and whole else _open_end(text, edge.end())
        yield text[done : edge.start()]
        yield name("private-key", text[edge.start() : end])
        done = end
    yield text[done:]


def _open_end(text: str, begin: int) -> int:
    found = _OPEN.match(text, begin, begin + _KEY_LIMIT)
    return found.end() if found else begin


def _blocks(text: str) -> Iterator[str]:
    """The text in pieces of whole lines."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", min(begin + _BLOCK, len(text)))
        end = len(text) if end < 0 else end + 1
        yield text[begin:end]
        begin = end


def _in_block(block: str, name: Name) -> str:
    small = block.lower()
    for form in _FORMS:
        if any(literal in small for literal in form.needs):
            block = _compiled(form.pattern).sub(lambda match, form=form: _replaced(match, form, name), block)  # type: ignore[misc]
    return block


def _replaced(match: re.Match[str], form: _Form, name: Name) -> str:
    groups = match.groupdict()
    group = "quoted" if groups.get("quoted") is not None else "bare"
    secret = match[group]
    behind = form.behind and not _compiled(form.behind).search(match.string, max(0, match.start() - 16), match.start())
    if behind or _is_none(secret, form, match[0][: match.start(group) - match.start()]):
        return match[0]
    begin, end = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:begin] + name(form.kind, secret) + match[0][end:]


def _is_none(secret: str, form: _Form, before: str) -> bool:
    """Whether what stands in the place of a secret is none."""
    if _NONE.fullmatch(secret):
        return True
    if form.prose and before.endswith((" ", "\t")) and _WORD.fullmatch(secret):
        return True
    return form.kind == "basic-auth" and not _is_pair(secret)


def _is_pair(text: str) -> bool:
    """Whether base64 holds ``user:password``."""
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return False
