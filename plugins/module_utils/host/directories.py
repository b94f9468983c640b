# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Directories that only root can change, opened name by name: nobody can lead root elsewhere between look and act.

Sources: openat(2) (why directory descriptors), path_resolution(7).
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
import typing as t

MOST_LINKS = 40
#: of what is made above a directory: whatever the umask, others pass
PASSABLE = 0o755
FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _refuse(path: str, why: str) -> OSError:
    return OSError(errno.EPERM, why, path)


def _is_roots(found: os.stat_result, sticky: bool) -> bool:
    """Whether nobody but root can change what is in a directory, or, where that is enough, what of it is root's."""
    others = stat.S_IWOTH | (stat.S_IWGRP if found.st_gid != 0 else 0)
    return found.st_uid == 0 and (not found.st_mode & others or (sticky and bool(found.st_mode & stat.S_ISVTX)))


class _Trail:
    """The directories from the root of the file system to the one that is being opened."""

    def __init__(self, path: str, make: bool, sticky: bool) -> None:
        self._path, self._make, self._sticky, self._links = path, make, sticky, 0
        self._left = _names(path)[::-1]
        self.descriptors = [os.open("/", FLAGS)]

    def walk(self) -> int:
        """Open them name by name; return the last one."""
        while self._left:
            name = self._left.pop()
            if name == "..":
                self._back(to=max(1, len(self.descriptors) - 1))
            elif stat.S_ISLNK((found := self._look(name)).st_mode):
                if found.st_uid != 0:
                    raise _refuse(self._path, f"the link {name} in it is not root's, and so root does not follow it")
                self._follow(name)
            else:
                self.descriptors.append(os.open(name, FLAGS, dir_fd=self.descriptors[-1]))
                if not _is_roots(os.fstat(self.descriptors[-1]), self._sticky and not self._left):
                    raise _refuse(
                        self._path,
                        "others than root can change this directory or one above it, and so root does not: give it to"
                        " the user of the server (chown), then run this again",
                    )
        return self.descriptors[-1]

    def _look(self, name: str) -> os.stat_result:
        parent = self.descriptors[-1]
        try:
            return os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            if not self._make:
                raise
        os.mkdir(name, PASSABLE, dir_fd=parent)
        os.chmod(name, PASSABLE, dir_fd=parent)
        return os.stat(name, dir_fd=parent, follow_symlinks=False)

    def _follow(self, name: str) -> None:
        """Go on with what a link of root's leads to."""
        self._links += 1
        if self._links > MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._path)
        target = os.readlink(name, dir_fd=self.descriptors[-1])
        if target.startswith("/"):
            self._back(to=1)
        self._left += _names(target)[::-1]

    def _back(self, to: int) -> None:
        while len(self.descriptors) > to:
            os.close(self.descriptors.pop())


@contextlib.contextmanager
def opened(path: str, make: bool = False, sticky: bool = False) -> t.Iterator[int]:
    """Give the descriptor of a directory that is root's alone, like all above it; OSError of any other.

    ``make`` makes what is missing, as root's (0755). With ``sticky`` it may be one in which everybody has files, but
    nobody can exchange root's: ``/run`` in some containers.
    """
    trail = _Trail(path, make, sticky)
    try:
        yield trail.walk()
    finally:
        for descriptor in trail.descriptors:
            os.close(descriptor)


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def _inside(path: str) -> tuple[str, str]:
    above, name = os.path.split(path.rstrip("/"))
    if not path.startswith("/") or name in ("", ".", ".."):
        raise _refuse(path, "not an absolute path of a directory")
    return above, name


def _belongs(found: os.stat_result, account: pwd.struct_passwd, path: str) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise _refuse(path, "this is no directory")
    if found.st_uid != account.pw_uid:
        raise _refuse(
            path,
            f"this directory is not {account.pw_name}'s: see whose it is and what is in it (ls -la {path}), move it"
            " away or name another place, then run this again",
        )


@contextlib.contextmanager
def _parent(above: str, account: pwd.struct_passwd) -> t.Iterator[int]:
    """Give the descriptor of a directory that is root's alone, or of the user's that is directly in such a one."""
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(opened(above))
        except PermissionError:
            outer, name = _inside(above)
            found = os.open(name, FLAGS, dir_fd=stack.enter_context(opened(outer)))
            stack.callback(os.close, found)
            _belongs(os.fstat(found), account, above)
        yield found


def make(path: str, account: pwd.struct_passwd, mode: int = 0o700, adopt: bool = False) -> None:
    """Make a directory the user's, in one that is root's; one that is there must be the user's already.

    ``adopt`` gives one of root's to the user: the caller knows that it was made for that user.
    """
    above, name = _inside(path)
    with opened(above, make=True) as parent:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            adopt = adopt and os.stat(name, dir_fd=parent, follow_symlinks=False).st_uid == 0
            if not adopt:
                _belongs(os.stat(name, dir_fd=parent, follow_symlinks=False), account, path)
                return
        made = os.open(name, FLAGS, dir_fd=parent)
        try:
            os.fchown(made, account.pw_uid, account.pw_gid)
            os.fchmod(made, mode)
        finally:
            os.close(made)


def is_empty(path: str) -> bool:
    """Whether a directory is there, root's like all above it, and nothing is in it."""
    try:
        with opened(path) as found:
            return not os.listdir(found)
    except OSError:
        return False


def rename(old: str, new: str, account: pwd.struct_passwd, over_roots: bool = False) -> None:
    """Rename a directory of the user's where root alone can; an empty one of the user's, or of root's, may be replaced.

    The user may change what is in a directory of its own meanwhile. So what has arrived is looked at once more.
    """
    (above, name), (above_new, name_new) = _inside(old), _inside(new)
    with _parent(above, account) as source, _parent(above_new, account) as target:
        _belongs(os.stat(name, dir_fd=source, follow_symlinks=False), account, old)
        with contextlib.suppress(FileNotFoundError):
            there = os.stat(name_new, dir_fd=target, follow_symlinks=False)
            if there.st_uid != 0 or not over_roots:
                _belongs(there, account, new)
        os.rename(name, name_new, src_dir_fd=source, dst_dir_fd=target)
        arrived = os.stat(name_new, dir_fd=target, follow_symlinks=False)
        if not stat.S_ISDIR(arrived.st_mode):
            os.unlink(name_new, dir_fd=target)  # the way back may be blocked by then
        elif arrived.st_uid != account.pw_uid:
            os.rename(name_new, name, src_dir_fd=target, dst_dir_fd=source)
        if not stat.S_ISDIR(arrived.st_mode) or arrived.st_uid != account.pw_uid:
            raise _refuse(old, "this was exchanged meanwhile")
        os.fsync(source)
        os.fsync(target)


def remove(path: str, account: pwd.struct_passwd) -> None:
    """Remove a directory that the user has emptied, from one that is root's."""
    above, name = _inside(path)
    with opened(above) as parent:
        _belongs(os.stat(name, dir_fd=parent, follow_symlinks=False), account, path)
        os.rmdir(name, dir_fd=parent)
        os.fsync(parent)


def write(path: str, text: str, mode: int = 0o644) -> None:
    """Write a file of root's in a directory that is root's, in one step."""
    above, name = _inside(path)
    content = text.encode(errors="surrogateescape")
    with opened(above, make=True, sticky=True) as parent:
        temporary = f".hawq-{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=parent), "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        os.fsync(parent)


def unlink(path: str) -> None:
    """Remove a file from a directory that is root's; one that is not there is none to remove."""
    above, name = _inside(path)
    with contextlib.suppress(FileNotFoundError), opened(above, sticky=True) as parent:
        os.unlink(name, dir_fd=parent)
        os.fsync(parent)
