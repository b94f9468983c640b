# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Up to where a standby that gives no session holds WAL, from its files: so far a promotion would replay it.

Sources: PostgreSQL manual, "WAL Internals", "pg_waldump", "Timelines".
"""

from __future__ import annotations

import os
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import lsn, observation, wal
from . import wal_files

SECONDS = 3
Part = tuple[int, t.Optional[str]]
Histories = dict[str, list[list[t.Any]]]


def end(
    instance: Instance, run: Runner, control: observation.Control, histories: dict[str, list[list[t.Any]]]
) -> str | None:
    """Return the end of its last whole record, or how far it must have replayed where its WAL says nothing.

    None where that cannot be read, or not in a few seconds.
    """
    size, told = control["wal_segment_bytes"], (control["redo_lsn"], control["min_recovery_lsn"])
    if not size or not any(told):
        return None
    begin = max(filter(None, told), key=lsn.parse)
    known = max(control["timeline"], control["min_recovery_timeline"] or 0)
    try:
        names = held(wal_files.directory(instance), chains(histories, known), begin, size)
        return _end(instance, run, names, begin, size) if names else begin
    except (OSError, ValueError, MirroringError):
        return None


def chains(histories: dict[str, list[list[t.Any]]], known: int) -> list[list[Part]]:
    """Return the ways that a standby on a timeline may have gone on, the one to the newest timeline first."""
    found: list[list[Part]] = []
    for number in sorted({known, *map(int, histories)}, reverse=True):
        ancestors = [(int(timeline), str(end)) for timeline, end in histories.get(str(number), [])]
        if number == known or known in [timeline for timeline, _end in ancestors]:
            found.append([*ancestors, (number, None)])
    return found


def held(directory: str, ways: list[list[Part]], begin: str, size: int) -> list[str]:
    """Return the WAL files without a gap from an LSN on, on the newest timeline that has any."""
    there = set(os.listdir(directory))
    for way in ways:
        names = []
        for number in range(lsn.parse(begin) // size, 1 << 64):
            name = wal.segment_name(wal.timeline_at((number + 1) * size, way), number * size, size)
            if name not in there or not wal_files.written(directory, name, size):
                break
            names.append(name)
        if names and wal.is_segment(names[-1], way[-1][0]):
            return names
    return []


def _end(instance: Instance, run: Runner, names: list[str], begin: str, size: int) -> str:
    """Read from the last file but one, in which a record may begin that ends in the last."""
    timeline = int(names[-1][:8], 16)
    first = next(name for name in names[-2:] if wal.is_segment(name, timeline))
    after = max(wal.begin_of(first[8:], size), begin, key=lsn.parse)
    standing = wal_files.Standing(after, after, timeline, None)
    start, last, _damage = wal_files.end_of_wal(instance, run, standing, size, SECONDS)
    if start is None:
        return begin
    if lsn.distance(last, start) == 1:  # where it ends was not said
        command = wal_files.dump(instance, timeline, start, None, size)
        _code, output, _errors = run([*(command or [])[:1], "--limit=1", *(command or [])[1:]], timeout=SECONDS)
        last = (wal.last_record(output, size) or (start, last))[1]
    return max(last, begin, key=lsn.parse)
