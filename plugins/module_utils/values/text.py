# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small pieces of text and the units in them, and names of any bytes as people can read them. Pure.

In a text here a byte that is no UTF-8 is a surrogate, as Python's ``surrogateescape`` makes it.
"""

from __future__ import annotations

import datetime
import re
import typing as t

#: what a terminal would obey, or could not show; line ends and tabs stay
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
#: the same, and what would begin a line or a column
CONTROL_OF_NAMES = re.compile(rf"[\t\n]|{CONTROL.pattern}")
ESCAPED = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})")
#: of bytes that are no UTF-8
SURROGATES = range(0xDC80, 0xDD00)
MEBIBYTE = 1 << 20


def size(number: float) -> str:
    """Return a size in bytes as people read it."""
    for unit in ("B", "kB", "MB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"


def sentence(text: str) -> str:
    """Return a text as one line without its full stop, to be a part of a longer sentence."""
    return " ".join(text.split()).rstrip(".")


def lines_of(text: str) -> list[str]:
    """Return the lines of a file. Only a line end ends one: others of Unicode's may stand in a name or a password."""
    return text.removesuffix("\n").split("\n") if text else []


def moment(epoch: float) -> str:
    """Return a moment as people read it."""
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def shown(value: t.Any) -> t.Any:
    """Return a value whose texts a terminal and a JSON file can show: other bytes, and control characters, escaped."""
    return _escaped(value, CONTROL)


def named(value: t.Any) -> t.Any:
    """Return the same of names, which stay in their line and column."""
    return _escaped(value, CONTROL_OF_NAMES)


def raw(text: str) -> str:
    """Return the name that was shown like this: what people read and type comes back as it is on the host."""
    return ESCAPED.sub(lambda found: _of_escape(found[0], found[1], found[2]), text)


def _escaped(value: t.Any, pattern: re.Pattern[str]) -> t.Any:
    if isinstance(value, str):
        return pattern.sub(lambda found: _escape(ord(found[0])), value)
    if isinstance(value, dict):
        return {_escaped(key, pattern): _escaped(inner, pattern) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(inner, pattern) for inner in value]
    return value


def _escape(number: int) -> str:
    if number in SURROGATES:
        return rf"\x{number - 0xDC00:02x}"
    return rf"\x{number:02x}" if number < 128 else rf"\u{number:04x}"


def _of_escape(written: str, byte: str | None, character: str | None) -> str:
    """Return what an escape stands for; an escape that ``named`` never writes stands for itself."""
    number = int(byte or character or "", 16)
    meant = chr(number + 0xDC00 if byte and number > 127 else number)
    return meant if named(meant) == written else written
