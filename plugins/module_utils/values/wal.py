# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Segments of the write-ahead log, and where it ends. Pure.

Sources: PostgreSQL manual, "WAL Internals", "pg_waldump"; names as in PostgreSQL's ``xlog_internal.h``.
"""

from __future__ import annotations

import re
import typing as t

from . import lsn

PAGE_BYTES = 8192
#: of a page, and of the first page of a segment (``xlog_internal.h``)
SHORT_HEADER, LONG_HEADER = 24, 40
#: of the largest segment, and of what goes through the controller at once
MOST_BYTES, PIECE_BYTES = 1 << 30, 8 << 20

_LENGTH = re.compile(r"len \(rec/tot\): *\d+/ *(\d+)")
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_MISSING = re.compile(r'could not find file "([0-9A-F]{24})"')
_RECORD = re.compile(r"rmgr: (\w+) .*? lsn: ([0-9A-F]+/[0-9A-F]+), .*?desc: (\S+)(.*)")
_BLOCK = re.compile(r"rel (\d+/\d+/\d+)(?: fork (\w+))? blk (\d+)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
_CHANGE = re.compile(r"(INSERT|UPDATE|HOT_UPDATE|DELETE|MULTI_INSERT)\b")
_LAST_RECORD = re.compile(r"error in WAL record at ([0-9A-F]+/[0-9A-F]+)(?:.*?\bat ([0-9A-F]+/[0-9A-F]+))?", re.S)


def segment_name(timeline: int, position: int, segment_bytes: int) -> str:
    """Return the file that holds a byte position of a timeline."""
    number, per_log = position // segment_bytes, 0x100000000 // segment_bytes
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"


def segments(names: list[str], timeline: int, first: str, last: str, segment_bytes: int) -> tuple[list[str], list[str]]:
    """Return the segments that hold two LSNs and all between: those that are there, and those that are missing."""
    numbers = range(lsn.parse(first) // segment_bytes, lsn.parse(last) // segment_bytes + 1)
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
    return start, None if end is None or lsn.parse(end) <= lsn.parse(start) else end


def missing_segment(errors: str, segment_bytes: int) -> tuple[str, str] | None:
    """Return the segment that pg_waldump missed, and the LSN at which it would begin."""
    found = _MISSING.search(errors)
    if not found:
        return None
    return found.group(1), begin_of(found.group(1)[8:], segment_bytes)


def begin_of(place: str, segment_bytes: int, further: int = 0) -> str:
    """Return the LSN at which a segment begins, or one that is further on, from its name without the timeline."""
    per_log = 0x100000000 // segment_bytes
    return lsn.render((int(place[:8], 16) * per_log + int(place[8:], 16) + further) * segment_bytes)


def is_name(name: str) -> bool:
    """Whether a file has the name of a segment of any timeline."""
    return _SEGMENT.fullmatch(name) is not None


def is_segment(name: str, timeline: int) -> bool:
    """Whether a file is a segment of the timeline."""
    return bool(_SEGMENT.fullmatch(name)) and int(name[:8], 16) == timeline


def later(names: list[str], segment: str) -> list[str]:
    """Return the segments of the same timeline that come after one."""
    return sorted(name for name in names if _SEGMENT.fullmatch(name) and name[:8] == segment[:8] and name > segment)


def checkpoints(dump: str) -> list[tuple[str, str]]:
    """Return LSN and redo LSN of the checkpoint records in pg_waldump's output."""
    found = []
    for line in dump.splitlines():
        record = _RECORD.match(line)
        if record and record.group(3) in ("CHECKPOINT_ONLINE", "CHECKPOINT_SHUTDOWN"):
            redo = re.search(r"redo ([0-9A-F]+/[0-9A-F]+)", record.group(4))
            found.append((record.group(2), redo.group(1) if redo else record.group(2)))
    return found


def last_record(dump: str, segment_bytes: int) -> tuple[str, str] | None:
    """Return start and end LSN of the last record in pg_waldump's output; a switch ends with its segment."""
    lines = [line for line in dump.splitlines() if _RECORD.match(line)]
    record, length = (_RECORD.match(lines[-1]), _LENGTH.search(lines[-1])) if lines else (None, None)
    if record is None or length is None:
        return None
    start = lsn.parse(record.group(2))
    if record.group(3) == "SWITCH":
        return record.group(2), lsn.render((start // segment_bytes + 1) * segment_bytes)
    position, left = start, int(length.group(1))
    while left:
        taken = min(left, PAGE_BYTES - position % PAGE_BYTES)
        position, left = position + taken, left - taken
        if left:
            position += LONG_HEADER if position % segment_bytes == 0 else SHORT_HEADER
    return record.group(2), lsn.render((position + 7) // 8 * 8)


def timeline_at(segment_end: int, history: t.Sequence[t.Any]) -> int:
    """Return the timeline under whose name a server keeps the segment that ends at a byte position.

    A segment in which a timeline ends belongs to the next one, which begins with a copy of it. ``history`` is a list of
    (timeline, LSN of its end or None).
    """
    return next(int(number) for number, end in history if end is None or lsn.parse(end) >= segment_end)


def pieces(history: t.Sequence[t.Any], start: str) -> list[tuple[int, str, str | None]]:
    """Return timeline, first and last LSN (None: to the end) of all WAL of a history from an LSN on."""
    found, begin = [], "0/0"
    for number, end in history:
        if end is None or lsn.parse(end) > lsn.parse(start):
            found.append((int(number), max(begin, start, key=lsn.parse), end))
        begin = end or begin
    return found


class Tally:
    """Counts what records do: committed transactions and changed relations after the fork, blocks in all of them."""

    def __init__(self, fork: int, most: int) -> None:
        """Count up to ``most`` blocks, so that it stays small."""
        self._fork, self._most = fork, most
        self._blocks: set[tuple[str, str, str]] = set()
        self._relations: set[str] = set()
        self._first: str | None = None
        self._last: str | None = None
        self._number = 0

    def add(self, line: str) -> None:
        """Take one line of pg_waldump's output."""
        record = _RECORD.match(line)
        if not record:
            return
        manager, at, what, rest = record.groups()
        beyond = lsn.parse(at) >= self._fork
        if manager == "Transaction" and what.startswith("COMMIT") and beyond:
            self._number += 1
            when = _TIME.search(rest)
            self._last = when.group() if when else self._last
            self._first = self._first or self._last
        for relation, fork, block in _BLOCK.findall(rest):
            if len(self._blocks) < self._most:
                self._blocks.add((relation, fork, block))
            if beyond and manager.startswith("Heap") and not fork and _CHANGE.match(what):
                self._relations.add(relation)

    def result(self) -> dict[str, t.Any]:
        """Return the counts."""
        return {
            "transactions": self._number,
            "first_commit": self._first,
            "last_commit": self._last,
            "relations": sorted(self._relations),
            "blocks": len(self._blocks),
        }
