# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Segments of the write-ahead log, and where it ends. Pure.

Sources: PostgreSQL manual, "WAL Internals", "pg_waldump"; names as in PostgreSQL's ``xlog_internal.h``.
"""

from __future__ import annotations

import re

from ansible_collections.hawq.mirroring.plugins.module_utils import _lsn

_SEGMENT = re.compile(r"[0-9A-F]{24}")
_MISSING = re.compile(r'could not find file "([0-9A-F]{24})"')
_LAST_RECORD = re.compile(r"error in WAL record at ([0-9A-F]+/[0-9A-F]+)(?:.*?\bat ([0-9A-F]+/[0-9A-F]+))?", re.S)


def segment_name(timeline: int, position: int, segment_bytes: int) -> str:
    """Return the file that holds a byte position of a timeline."""
    number, per_log = position // segment_bytes, 0x100000000 // segment_bytes
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"


def segments(names: list[str], timeline: int, first: str, last: str, segment_bytes: int) -> tuple[list[str], list[str]]:
    """Return the segments that hold two LSNs and all between: those that are there, and those that are missing."""
    numbers = range(_lsn.parse(first) // segment_bytes, _lsn.parse(last) // segment_bytes + 1)
    wanted = [segment_name(timeline, number * segment_bytes, segment_bytes) for number in numbers]
    there = {name for name in names if _SEGMENT.fullmatch(name)}
    return [name for name in wanted if name in there], [name for name in wanted if name not in there]


def end_of(errors: str) -> tuple[str, str | None] | None:
    """Return start and end LSN of the last whole record that pg_waldump found, or None when it found none.

    It reads until something is no record any more, and does not always say where that is: then the end is None.
    """
    found = _LAST_RECORD.search(errors)
    if not found:
        return None
    start, end = found.group(1), found.group(2)
    return start, None if end is None or _lsn.parse(end) <= _lsn.parse(start) else end


def missing_segment(errors: str, segment_bytes: int) -> tuple[str, str] | None:
    """Return the segment that pg_waldump missed, and the LSN at which it would begin."""
    found = _MISSING.search(errors)
    if not found:
        return None
    name, per_log = found.group(1), 0x100000000 // segment_bytes
    position = (int(name[8:16], 16) * per_log + int(name[16:], 16)) * segment_bytes
    return name, _lsn.render(position)


def later(names: list[str], segment: str) -> list[str]:
    """Return the segments of the same timeline that come after one."""
    return sorted(name for name in names if _SEGMENT.fullmatch(name) and name[:8] == segment[:8] and name > segment)


def forked_at(history: str) -> str | None:
    """Return the LSN at which a timeline began, from its history file (its last line)."""
    lines = [line.split() for line in history.splitlines() if line.strip() and not line.startswith("#")]
    return lines[-1][1] if lines and len(lines[-1]) > 1 else None
