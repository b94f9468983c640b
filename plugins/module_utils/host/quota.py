# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The room on a file system for the user that asks: what is free there, and what its quotas leave of that.

A quota of a project, which belongs to a directory, is in what the file system itself says. Source: quotactl(2).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import typing as t

from . import files, mounts

GET_QUOTA, USER, GROUP = 0x800007, 0, 1
#: a limit is a number of such blocks
BLOCK = 1024


class Room(t.NamedTuple):
    """Bytes, as of shutil.disk_usage()."""

    total: int
    used: int
    free: int
    #: whether a quota is what limits it
    by_quota: bool


class _Quota(ctypes.Structure):
    _fields_: t.ClassVar = [
        *((name, ctypes.c_uint64) for name in ("hard", "soft", "used", "inodes_hard", "inodes_soft", "inodes")),
        *((name, ctypes.c_uint64) for name in ("block_time", "inode_time")),
        ("valid", ctypes.c_uint32),
    ]


def room(path: str) -> Room:
    """Return the room at a path that is there."""
    whole = shutil.disk_usage(path)
    device = _device(path)
    limits = [
        each for kind, number in ((USER, os.geteuid()), (GROUP, os.getegid())) if (each := _of(device, kind, number))
    ]
    free = min([whole.free, *(max(0, limit - used) for limit, used in limits)])
    total = min([whole.total, *(limit for limit, _used in limits)])
    return Room(total, whole.used, free, free < whole.free)


def _device(path: str) -> str | None:
    """Return the block device of a file system, where it has one."""
    number = os.stat(path).st_dev
    wanted = f"{os.major(number)}:{os.minor(number)}"
    for line in (files.text_of(mounts.MOUNTED) or "").splitlines():
        before, _separator, after = line.partition(" - ")
        fields, source = before.split(), after.split()
        if len(fields) > mounts.IN_MOUNTINFO and fields[2] == wanted and len(source) > 1:
            return source[1] if source[1].startswith("/") else None
    return None


def _of(device: str | None, kind: int, number: int) -> tuple[int, int] | None:
    """Return limit and use of a user or a group; None without a quota, and of root, which has none."""
    if device is None or os.geteuid() == 0:
        return None
    found = _Quota()
    try:
        failed = ctypes.CDLL(None).quotactl(
            ctypes.c_int(GET_QUOTA << 8 | kind), device.encode(), ctypes.c_int(number), ctypes.byref(found)
        )
    except (OSError, AttributeError):
        return None
    # the soft one may be passed for some days only, which is no place for a database
    limits = [each for each in (int(found.hard), int(found.soft)) if each]
    return (min(limits) * BLOCK, int(found.used)) if not failed and limits else None
