# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small pieces of text and the units in them. Pure."""

from __future__ import annotations

import re
import typing as t

#: what a terminal would obey instead of showing it; line ends and tabs stay
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
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


def shown(value: t.Any) -> t.Any:
    """Return a value whose texts a terminal and a JSON file can show: other bytes, and control characters, escaped."""
    if isinstance(value, str):
        escaped = value.encode(errors="surrogateescape").decode(errors="backslashreplace")
        return CONTROL.sub(lambda found: _escaped(ord(found[0])), escaped)
    if isinstance(value, dict):
        return {shown(key): shown(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(inner) for inner in value]
    return value


def _escaped(number: int) -> str:
    return rf"\x{number:02x}" if number < 256 else rf"\u{number:04x}"
