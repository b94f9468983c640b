# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of whoever this process is: read without waiting for anybody, written in one step and only when they differ."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import typing as t

from ..values import text as texts

#: bytes of a text: no configuration is larger
MOST = 64 << 20


def opened(path: str) -> t.BinaryIO:
    """Open a regular file for reading; OSError of anything else, a pipe for example, which would never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "this is no regular file", path)
    return os.fdopen(descriptor, "rb")


def _content(path: str) -> bytes:
    with opened(path) as file:
        content = file.read(MOST + 1)
    if len(content) > MOST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return content


def created(path: str) -> t.BinaryIO:
    """Open a new file for writing, in place of whatever has that name."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def changed(path: str) -> t.BinaryIO:
    """Open a file that is there for writing, not through a link."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "wb")


def read(path: str) -> str | None:
    """Return the text of a file, or None when there is none. Bytes that are no text survive a write."""
    try:
        return _content(path).decode(errors="surrogateescape")
    except FileNotFoundError:
        return None


def text_of(path: str) -> str | None:
    """Return the same text, or None when the file cannot be read."""
    try:
        return _content(path).decode(errors="surrogateescape")
    except OSError:
        return None


def public(path: str) -> str | None:
    """Return the text of a file that is root's, not a link, and 0644; None of any other."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    roots = (found.st_uid, found.st_gid, found.st_mode) == (0, 0, stat.S_IFREG | 0o644)
    return text_of(path) if roots else None


def block(text: str | None, name: str = "hawq.mirroring") -> list[str] | None:
    """Return the lines that text_block keeps in a text, or None when it has none."""
    lines = texts.lines_of(text or "")
    begin, end = f"# BEGIN {name}", f"# END {name}"
    if begin not in lines or end not in lines:
        return None
    return lines[lines.index(begin) + 1 : lines.index(end)]


@contextlib.contextmanager
def changing(directory: str) -> t.Iterator[None]:
    """Let the owner of a directory that nobody may write to, as a home can be, change it meanwhile."""
    found = os.stat(directory or ".")
    closed = found.st_uid == os.geteuid() and not os.access(directory or ".", os.W_OK | os.X_OK)
    if closed:
        os.chmod(directory, stat.S_IMODE(found.st_mode) | 0o300)
    try:
        yield
    finally:
        if closed:
            os.chmod(directory, stat.S_IMODE(found.st_mode))


def write(path: str, text: str, mode: int = 0o600, *, act: bool) -> bool:
    """Make the file this process's own with this text; return whether anything has to change, also without ``act``."""
    try:
        same = read(path) == text
        if same:
            now = os.stat(path)
            same = (now.st_uid, now.st_gid, now.st_mode & 0o7777) == (os.geteuid(), os.getegid(), mode)
    except OSError:
        same = False
    if same or not act:
        return not same
    content = text.encode(errors="surrogateescape")
    with changing(os.path.dirname(path)):
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".hawq-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                # a directory may give its own group to new files
                os.fchown(file.fileno(), -1, os.getegid())
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
    return True


def rewrite(path: str, text: str) -> None:
    """Give a file of this process's own another text where only root can put another file in its place."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "this is no file of the user's", path)
        os.fchmod(descriptor, 0o600)
        file.write(text.encode(errors="surrogateescape"))
        file.flush()
        os.ftruncate(descriptor, file.tell())
        os.fsync(descriptor)


def sync_directory(path: str) -> None:
    """Make the names in a directory outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
