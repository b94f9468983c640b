# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that nobody may change or remove, whatever their mode says: ``chattr +i`` and ``+a``.

Source: ioctl_iflags(2).
"""

from __future__ import annotations

import fcntl
import os
import struct
import typing as t

#: _IOR('f', 1, long), and the two flags
GET_FLAGS, IMMUTABLE, APPEND = 0x80086601, 0x10, 0x20


def first(paths: t.Iterable[str]) -> str | None:
    """Return the first of these that is so; what cannot be asked is not known to be."""
    return next((path for path in paths if flags(path) & (IMMUTABLE | APPEND)), None)


def flags(path: str) -> int:
    """Return the flags of a file or a directory; none where its file system has none, or it cannot be opened."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return 0
    try:
        found: int = struct.unpack_from("=I", fcntl.ioctl(descriptor, GET_FLAGS, bytes(8)))[0]
    except OSError:
        return 0
    finally:
        os.close(descriptor)
    return found
