# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files and directories that this process's user may not use, and file systems that take no more files.

A server checks the mode of its data directory when it starts, and nothing else of it: what was closed meanwhile is met
when the first new file is made there.

Sources: access(2), statvfs(3).
"""

from __future__ import annotations

import os
import typing as t


def first(paths: t.Iterable[str]) -> str | None:
    """Return the first of these that is there and that this user may not read and write, or make files in."""
    return next((path for path in paths if os.path.exists(path) and not os.access(path, _needed(path))), None)


def free_files(path: str) -> int | None:
    """Return how many files can still be made in a file system; None where it sets no limit, or cannot be asked."""
    try:
        room = os.statvfs(path)
    except OSError:
        return None
    return room.f_favail if room.f_files else None


def _needed(path: str) -> int:
    return os.R_OK | os.W_OK | (os.X_OK if os.path.isdir(path) else 0)
