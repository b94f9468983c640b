# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A directory for the server's user where the operator has named it; what only root can do for it is asked of root."""

from __future__ import annotations

import errno
import grp
import os
import stat
import typing as t

from . import account, directories, user_places
from .errors import MirroringError


def keep(path: str, act: bool, *, group: str | None, mode: int) -> dict[str, t.Any]:
    """Make it this user's, empty as it is; one that has something in it stays exactly as it is."""
    try:
        return _kept(path, act, group, mode)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.EROFS):
            raise
        user = account.acting()
        # a link could be there to let an operator give away what it leads to
        mend = (
            f"make it yourself (install -d -o {user} -m {mode:04o} {path})"
            if os.path.realpath(path) == path
            else f"there is a symbolic link in it, to {os.path.realpath(path)}: name that path itself when it is meant"
        )
        raise MirroringError(
            f"{path} cannot become a directory of {user}'s ({error.strerror}: {error.filename}): {mend}, or name"
            " another path, then run this again"
        ) from error


def _kept(path: str, act: bool, group: str | None, mode: int) -> dict[str, t.Any]:
    found = _found(path)
    wanted = _group_id(group)
    before = _described(found)
    fits = found is not None and (
        before == _described_as(os.geteuid(), wanted if wanted is not None else found.st_gid, mode) or _is_full(path)
    )
    if not fits:
        if found is None or found.st_uid != os.geteuid():
            _room_for(path)
        if act:
            _make(path, found, mode)
            if wanted is not None and os.stat(path).st_gid != wanted:
                _give(path, wanted)
    after = _described_as(os.geteuid(), wanted if wanted is not None else os.getegid(), mode)
    return {"changed": not fits, "path": path, "diff": {"before": before, "after": before if fits else after}}


def _found(path: str) -> os.stat_result | None:
    """Return what is there, None for nothing; raise for what cannot become the user's."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            raise MirroringError(
                f"{path} is a symbolic link that leads nowhere: remove it, or name another path"
            ) from None
        return None
    except NotADirectoryError:
        raise MirroringError(f"above {path} there is something that is not a directory: name another path") from None
    if not stat.S_ISDIR(found.st_mode):
        raise MirroringError(f"{path} is there and is not a directory: move it away, or name another path")
    if found.st_uid not in (0, os.geteuid()):
        raise MirroringError(
            f"{path} belongs to {account.name_of(found.st_uid)} and not to {account.acting()}: move it out of the way"
            f" (mv {path} {path}.away), or name another path, then run this again"
        )
    return found


def _is_full(path: str) -> bool:
    try:
        return bool(os.listdir(path))
    except PermissionError:
        return False  # root's: root looks before it gives it away


def _room_for(path: str) -> None:
    """Raise where neither this user nor root makes a directory."""
    above = os.path.dirname(path.rstrip("/"))
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if os.path.islink(path):
        raise OSError(errno.EPERM, "this is a symbolic link", path)
    if os.stat(above).st_uid != os.geteuid() and not os.access(above, os.W_OK | os.X_OK):
        try:
            with directories.opened(above):
                pass
        except PermissionError as error:
            if error.errno != errno.EACCES:  # this user cannot look, and root can
                raise


def _make(path: str, found: os.stat_result | None, mode: int) -> None:
    if found is None or found.st_uid == os.geteuid():
        user_places.make(path, mode)
        return
    user_places.or_root(lambda: user_places.replace_empty(path, mode), "make_directory", path, mode)


def _group_id(name: str | None) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError:
        raise MirroringError(f"there is no group {name} on this host: make it, or name another") from None


def _give(path: str, group: int) -> None:
    try:
        os.chown(path, -1, group)
    except PermissionError as error:
        user = account.acting()
        raise MirroringError(
            f"{user} is not in the group that {path} is to have: name a group of that user's, or add it to that group"
        ) from error


def _described(found: os.stat_result | None) -> str:
    if found is None:
        return "absent\n"
    return _described_as(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))


def _described_as(owner: int, group: int, mode: int) -> str:
    return f"{account.name_of(owner)}, group {group}, {mode:04o}\n"
