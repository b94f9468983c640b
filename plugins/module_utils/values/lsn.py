# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Log sequence numbers: positions in the write-ahead log, written as two hexadecimal halves (``16/B374D848``).

Source: PostgreSQL manual, "pg_lsn Type".
"""

from __future__ import annotations


def parse(text: str) -> int:
    """Return the byte position of an LSN; raise ValueError when it is not one."""
    high, separator, low = text.partition("/")
    if not separator:
        raise ValueError(f"not an LSN: {text!r}")
    return (int(high, 16) << 32) + int(low, 16)


def render(position: int) -> str:
    """Return the LSN of a byte position."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def distance(ahead: str | None, behind: str | None) -> int | None:
    """Return the bytes from ``behind`` to ``ahead`` (negative the other way), or None when one is unknown."""
    if not ahead or not behind:
        return None
    return parse(ahead) - parse(behind)
