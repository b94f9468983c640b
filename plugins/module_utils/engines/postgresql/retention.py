# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much WAL a new master may keep for absent standbys, so that it never fills its own disk.

Sources: PostgreSQL manual, "Replication" (max_slot_wal_keep_size), "WAL Configuration" (max_wal_size). A slot whose WAL
is more than the limit is lost at the next checkpoint, and its standby comes back by a comparison or a copy; a disk
without room for WAL ends the master. WAL is only removed by checkpoints, so that max_wal_size may come on top.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ...host.module import Instance
from ...values.text import MEBIBYTE
from . import wal_files

#: a limit is counted in whole segments, and the one that is written to must not count: with fewer it keeps nothing
LEAST_SEGMENTS = 4


class Room(t.NamedTuple):
    """The file system of the WAL."""

    free_bytes: int
    #: of the WAL that is there, and of one segment
    wal_bytes: int
    segment_bytes: int
    #: that may be written from one checkpoint to the end of the next one
    between_bytes: int


def room(instance: Instance, segment_bytes: int, between_bytes: int) -> Room:
    """Look at the file system of the WAL."""
    place, found = wal_files.directory(instance), 0
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                found += entry.stat().st_size
    return Room(shutil.disk_usage(place).free, found, segment_bytes, between_bytes)


def affordable(found: Room) -> int:
    """Return how many megabytes of WAL the disk can hold beside what else grows on it.

    A fifth of what is free stays so, and so does what may be written between two checkpoints, or half where that is
    less. The WAL that is there counts as room: it is a part of what is kept.
    """
    spare = found.free_bytes // 5 + min(found.between_bytes, found.free_bytes // 2)
    least = LEAST_SEGMENTS * found.segment_bytes
    whole = max(found.free_bytes - spare + found.wal_bytes, least)
    return whole // found.segment_bytes * found.segment_bytes // MEBIBYTE


def limit(present: int, wanted: int, found: Room, fresh: bool) -> int | None:
    """Return the limit to set in megabytes, or None where the ``present`` one (-1: none) may stay.

    Of a master that was one before, only a limit that the disk cannot hold at all is touched: what is free changes all
    the time, and a second run changes nothing.
    """
    most = affordable(found)
    if present < 0:
        return min(wanted, most)
    all_there_is = max(found.free_bytes + found.wal_bytes, most * MEBIBYTE) // MEBIBYTE
    return most if present > (most if fresh else all_there_is) else None
