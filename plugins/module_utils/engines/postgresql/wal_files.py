# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The WAL files of a data directory: where they are, which were written to, and where the WAL ends.

Sources: PostgreSQL manual, "WAL Internals", "pg_waldump".
"""

from __future__ import annotations

import os
import struct
import time
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import lsn, wal

#: room that a host needs beside the WAL that it is given or that is kept there
SPARE_BYTES = 32 << 20


def directory(instance: Instance) -> str:
    """Return the directory of the WAL files."""
    return os.path.join(instance.data_directory, "pg_wal")


class Standing(t.NamedTuple):
    """How far a standby is, and how far its master was known to be."""

    #: end of the last record that it has replayed
    after: str
    #: end of what it holds
    have: str
    timeline: int
    #: what the master was known to have written: by the segment servers, and by the standby's own receiver
    known: str | None
    #: which segment alone says so, and how to go on without it; empty otherwise
    known_from: str = ""


def written(directory: str, name: str, size: int) -> bool:
    """Whether a WAL file was written to under this name.

    Segments are made ready under later names, empty or with the pages of an older one. That in which a timeline begins
    has the pages of the timeline before at its beginning (``xlog_internal.h``).
    """
    with files.opened(os.path.join(directory, name)) as file:
        _magic, _info, timeline, address = struct.unpack("=HHIQ", file.read(16).ljust(16, b"\0"))
    return 0 < timeline <= int(name[:8], 16) and lsn.render(address) == wal.begin_of(name[8:], size)


def age(instance: Instance, size: int | None) -> float | None:
    """Return the seconds since WAL was last written here; None where there is none, or it cannot be read.

    The clock of the file system is that of the host. A segment that was made ready for later counts for nothing.
    """
    place = directory(instance)
    try:
        names = sorted((name for name in os.listdir(place) if wal.is_name(name)), key=lambda name: (name[8:], name))
        newest = next((name for name in reversed(names) if size and written(place, name, size)), None)
        return None if newest is None else time.time() - os.stat(os.path.join(place, newest)).st_mtime
    except OSError:
        return None


def dump(instance: Instance, timeline: int, start: str, end: str | None, size: int) -> list[str] | None:
    """Return pg_waldump's command for the WAL from one LSN to another (or all), or None when there is none.

    The first segment is named, since pg_waldump takes the size of segments from any it finds, an empty one, too.
    """
    place = directory(instance)
    first = wal.segment_name(timeline, lsn.parse(start), size)
    there = [name for name in os.listdir(place) if wal.is_segment(name, timeline) and name >= first]
    if first not in there or not written(place, first, size):
        return None
    last = max(there)
    if end is not None:
        wanted = wal.segment_name(timeline, lsn.parse(end) - 1, size)
        end, last = (end, wanted) if wanted in there else (None, max(name for name in there if name <= wanted))
    command = [instance.program("pg_waldump"), f"--path={place}", f"--start={start}"]
    return [*command, *([f"--end={end}"] if end is not None else []), first, last]


def end_of_wal(
    instance: Instance, run: Runner, standing: Standing, size: int, timeout: int
) -> tuple[str | None, str, str | None]:
    """Return the start of the last whole record after the standby's, where the WAL ends, and what is broken there."""
    place, moved = directory(instance), False
    command = dump(instance, standing.timeline, standing.after, None, size)
    for nearer in _beginnings(standing, size) if command is None else ():
        command = dump(instance, standing.timeline, nearer, None, size)
        if command is not None:
            standing, moved = standing._replace(after=nearer), True
            break
    after = lsn.parse(standing.after)
    if command is None:
        # a server that has switched to a new segment may die before that one is there, or is written to
        name = wal.segment_name(standing.timeline, after, size)
        inside = f"{name} is missing or damaged" if after % size else None
        return None, standing.after, _goes_on(place, standing, size) or inside
    code, _output, errors = run([*command[:1], "--quiet", *command[1:]], timeout=timeout)
    if code == 124:
        raise MirroringError(f"reading the WAL in {place} took more than {timeout} s")
    if code == 0:
        return *_last_of(instance, run, command[-1], standing, size, timeout), None
    missing = wal.missing_segment(errors, size)
    if missing:
        name, begin = missing
        before = wal.segment_name(standing.timeline, lsn.parse(begin) - 1, size)
        start, end = _last_of(instance, run, before, standing, size, timeout)
        return start, end, f"{name} is missing, and a later one is there"
    found = wal.end_of(errors)
    if found is None:
        unreadable = "could not find a valid record after" not in errors
        if unreadable or moved:  # the last record may be one that begins in a segment that is gone
            return None, standing.after, " ".join(errors.split())
        return None, standing.after, _goes_on(place, standing, size)
    start, last = found
    # where it is not said, the record ends somewhere after its start: enough to know that it is there
    last = last or lsn.render(lsn.parse(start) + 1)
    return start, last, _goes_on(place, standing._replace(after=last), size)


def _beginnings(standing: Standing, size: int) -> list[str]:
    """Return where to read from when the segment is gone in which the standby's next record begins.

    A master keeps WAL from what its standby has on its disk on, however much of that is yet to be replayed.
    """
    have = lsn.parse(standing.have)
    begins = [max(0, have - 1) // size * size, have // size * size]
    return [lsn.render(each) for each in dict.fromkeys(begins) if each > lsn.parse(standing.after)]


def _last_of(
    instance: Instance, run: Runner, wal_file: str, standing: Standing, size: int, timeout: int
) -> tuple[str, str]:
    """Return start and end of the last record in a WAL file that can be read to its end.

    What begins after that would have gone on in a segment that is not there.
    """
    begin = max(wal.begin_of(wal_file[8:], size), standing.after, key=lsn.parse)
    whole = wal.begin_of(wal_file[8:], size, 1)
    command = dump(instance, standing.timeline, begin, whole, size)
    _code, output, _errors = run(command, timeout=timeout) if command else (0, "", "")
    return wal.last_record(output, size) or (lsn.render(lsn.parse(whole) - 1), whole)


def _goes_on(place: str, standing: Standing, size: int) -> str | None:
    """Say which later WAL file was written to after the end: what lies between cannot be read."""
    name = wal.segment_name(standing.timeline, lsn.parse(standing.after), size)
    later = [each for each in wal.later(os.listdir(place), name) if written(place, each, size)]
    return f"{later[0]} was written to after that" if later else None
