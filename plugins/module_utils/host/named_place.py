# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a file or directory that a configuration names is there and of use to whoever this process is."""

from __future__ import annotations

import os
import stat
import typing as t

#: a file to read, a secret one, a directory to read, to write into, to write into or to make, a program
Wanted = t.Literal["read", "private", "enter", "write", "make", "run"]
Trouble = t.Literal["missing", "closed", "no file", "no directory", "too open"]
_ACCESS = {"enter": os.R_OK | os.X_OK, "write": os.W_OK | os.X_OK, "make": os.W_OK | os.X_OK, "run": os.R_OK | os.X_OK}
_DIRECTORIES = ("enter", "write", "make")


def trouble(path: str, wanted: str) -> Trouble | None:
    """Return why it would not do; None where it would."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        above = os.path.dirname(path.rstrip("/"))
        return None if wanted == "make" and os.path.isdir(above) and trouble(above, "write") is None else "missing"
    except OSError:
        return "closed"
    if wanted in _DIRECTORIES and not stat.S_ISDIR(found.st_mode):
        return "no directory"
    if wanted not in _DIRECTORIES and not stat.S_ISREG(found.st_mode):
        return "no file"
    if not os.access(path, _ACCESS.get(wanted, os.R_OK)):
        return "closed"
    return "too open" if wanted == "private" and _too_open(found) else None


def _too_open(found: os.stat_result) -> bool:
    """Whether others than its owner may use it; that of root may be read by a group."""
    if found.st_uid not in (0, os.geteuid()):
        return True
    root = found.st_uid == 0 and os.geteuid() != 0
    return bool(found.st_mode & ((0o027 | stat.S_IXGRP) if root else 0o077))
