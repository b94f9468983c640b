# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small pieces of text and the units in them. Pure."""

from __future__ import annotations

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
