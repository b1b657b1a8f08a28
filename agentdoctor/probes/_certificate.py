"""Who signed a certificate. The standard library tells only of certificates that it trusts."""

from __future__ import annotations

# Object identifiers of X.520 (RFC 5280, appendix A.1), as they stand in DER.
_ORGANISATION, _COMMON_NAME = b"\x55\x04\x0a", b"\x55\x04\x03"
_VERSION, _UTF16 = 0xA0, 0x1E  # tags: the optional version in front, BMPString
NAME_LIMIT = 100


def issuer(der: bytes) -> str | None:
    """The issuer's organisation, else its common name; None where neither can be read.

    TBSCertificate is version (may be absent), serial number, algorithm, issuer, ... (RFC 5280, 4.1).
    """
    try:
        fields = _parts(_parts(_parts(der)[0][1])[0][1])
        name = fields[3 if fields[0][0] == _VERSION else 2][1]
        pairs = [_parts(pair) for _, group in _parts(name) for _, pair in _parts(group)]
        known = {pair[0][1]: _text(*pair[1]) for pair in pairs}
    except IndexError:
        return None
    return known.get(_ORGANISATION) or known.get(_COMMON_NAME) or None


def _parts(der: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents, one after another. IndexError where the bytes end too early."""
    found = []
    while der:
        tag, length, start = der[0], der[1], 2
        if length & 0x80:  # of so many bytes is the length itself
            start += length & 0x7F
            length = int.from_bytes(der[2:start], "big")
        if len(der) < start + length:
            raise IndexError
        found.append((tag, der[start : start + length]))
        der = der[start + length :]
    return found


def _text(tag: int, content: bytes) -> str:
    return content.decode("utf-16-be" if tag == _UTF16 else "utf-8", "replace").strip()[:NAME_LIMIT]
