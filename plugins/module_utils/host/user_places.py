# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Directories of the server's user, changed by that user; what only root can change around them is asked of root."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import typing as t

from . import files, mounts, separation
from .errors import MirroringError

_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)


def or_root(work: t.Callable[[], t.Any], service: str, *arguments: t.Any) -> None:
    """Do it as the user; where that is not permitted, ask root."""
    try:
        work()
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        separation.ask(service, *arguments)


def make(path: str, mode: int = 0o700) -> None:
    """Make a directory the user's, with what is missing above it; one that is there must be the user's already.

    What is above it lets others pass, whatever the umask.
    """
    if os.path.isdir(path) and os.stat(path).st_uid == os.geteuid():
        os.chmod(path, mode)
        return
    if os.path.lexists(path):
        separation.ask("make_directory", path, mode)
    else:
        or_root(lambda: _make(path, mode), "make_directory", path, mode)


def _make(path: str, mode: int) -> None:
    above = os.path.dirname(path.rstrip("/"))
    if not os.path.lexists(above):
        _make(above, 0o755)
    try:
        _make_in(path, mode)
    except PermissionError as error:
        try:
            replace_empty(above, 0o755)
        except OSError:
            raise error from None
        _make_in(path, mode)


def _make_in(path: str, mode: int) -> None:
    with _changing(path):
        os.mkdir(path, mode)
    os.chmod(path, mode)


def replace_empty(path: str, mode: int) -> None:
    """Put a directory of the user's in the place of an empty one, of root's for example, in a place of the user's."""
    with _changing(path):
        os.rmdir(path)
        os.mkdir(path, mode)
    os.chmod(path, mode)


def rename(old: str, new: str) -> None:
    """Rename a directory, and let that outlive a power cut."""

    def work() -> None:
        with _changing(old), _changing(new):
            os.rename(old, new)
        _sync(old)
        _sync(new)

    or_root(work, "rename", old, new)


def _changing(path: str) -> contextlib.AbstractContextManager[None]:
    """Let the user change what is beside a path, when the directory above is its own."""
    return files.changing(os.path.dirname(path.rstrip("/")))


def _sync(path: str) -> None:
    """Let a name outlive a power cut."""
    with contextlib.suppress(PermissionError):
        files.sync_directory(os.path.dirname(path.rstrip("/")))


def refuse_mounts(path: str) -> None:
    """Raise where a file system is mounted inside a directory that is to be deleted: it is another's."""
    for inside in mounts.below(path):
        raise MirroringError(
            f"a file system is mounted at {inside}, in {path}, which is not deleted: unmount it (umount {inside}), then"
            " run this again"
        )


def empty(path: str) -> None:
    """Remove what is in a directory, not the directory: it may be a mount point."""
    refuse_mounts(path)
    for entry in list(os.scandir(path)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def remove_empty(path: str) -> None:
    """Remove an empty directory."""

    def work() -> None:
        with _changing(path):
            os.rmdir(path)

    or_root(work, "remove_directory", path)


def remove(path: str) -> None:
    """Remove a directory and what is in it."""
    make(path)  # an earlier version made some of them root's
    empty(path)
    remove_empty(path)


def write(path: str, text: str) -> None:
    """Write a note beside the data directory that everybody may read."""

    def work() -> None:
        files.write(path, text, 0o644, act=True)
        _sync(path)

    or_root(work, "write", path, text)


def unlink(path: str) -> None:
    """Remove a note, if it is there."""

    def work() -> None:
        with _changing(path):
            os.unlink(path)
        _sync(path)

    with contextlib.suppress(FileNotFoundError):
        or_root(work, "unlink", path)
