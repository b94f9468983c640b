# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A block of lines between two markers in a text file of the server's user, or of one that this user may change.

The file's path may come from the database, and what it leads to from the user: so this process is that user.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from ..values import blocks
from . import account, files
from .errors import MirroringError


def keep(
    path: str, act: bool, *, marker: str, block: str, first: bool, begin: str | None, mode: int
) -> dict[str, t.Any]:
    """Hold the block once, or not at all when it is empty; other lines stay as they are.

    A new block comes ``first`` or last. ``begin`` is what a new file of this mode begins with; None makes no new file.
    A file that is left with that alone goes.
    """
    asked = os.path.expanduser(path)
    path = os.path.realpath(asked)
    text = _text(path)
    if text is None and block and begin is None:
        raise MirroringError(f"{path} does not exist")
    old = (begin or "") if text is None and block else (text or "")
    new, before = blocks.edited(old, marker, block, first)
    changed = new != (text or "")
    if changed:
        found = _changeable(path, asked)
        if act and not block and begin and new == begin:
            with files.changing(os.path.dirname(path)):
                os.unlink(path)  # nobody else has written into it
        elif act:
            files.write(path, new, stat.S_IMODE(found.st_mode) if found else mode, act=True)
            _regroup(path, found)
    # other lines can hold a secret, the password of an LDAP server for example
    after = (old if text is None else "") + "".join(blocks.lines(marker, block))
    return {
        "changed": changed,
        "path": path,
        "diff": {"before_header": path, "after_header": path, "before": before, "after": after},
    }


def _text(path: str) -> str | None:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise MirroringError(f"{path} is no regular file: move it away, then run this again")
        return files.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise MirroringError(
            f"{account.acting()} may not read {path}, and root reads nothing that this user or the database names: see"
            " who has named it, and name a file of that user's, then run this again"
        ) from error


def _changeable(path: str, asked: str) -> os.stat_result | None:
    """Return what the file is now, None when it is not there; raise when this user is not to change it."""
    above, user = os.path.dirname(path), account.acting()
    found = None
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(path)
    for place, seen in ((path, found), (above, _seen(above))):
        if seen and seen.st_uid != os.geteuid() and not os.access(place, os.W_OK):
            # a link could be there to let an operator give away what it leads to
            mend = (
                f"If it is meant for {user} and no file of the system's: chown {user} {place}, then run this again"
                if asked == path
                else f"{asked} leads there: remove that link, then run this again"
            )
            raise MirroringError(
                f"{place} is {account.name_of(seen.st_uid)}'s, so {user} may not change it, and root changes nothing"
                f" that this user or the database names. {mend}"
            )
    return found


def _seen(directory: str) -> os.stat_result:
    try:
        return os.stat(directory)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise
        raise MirroringError(f"{directory} is no directory that is there: make it, then run this again") from error


def _regroup(path: str, found: os.stat_result | None) -> None:
    """Give the file its group again, where this user may."""
    if found and found.st_gid != os.getegid():
        with contextlib.suppress(PermissionError):
            os.chown(path, -1, found.st_gid)
