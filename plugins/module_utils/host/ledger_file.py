# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record of a witness on its disk: read and written by one at a time, and safe there before anybody is told.

A writer that is killed at any moment, or loses power, leaves the old record or the new one, whole. The program of a
witness uses this file as well, as a copy beside it: it needs the standard library, and nothing else of this collection.

Sources: flock(2), fsync(2) (a new name is only safe when its directory has been written as well), rename(2).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
import typing as t

#: bytes that a record has at most
LONGEST = 4096
#: seconds until whoever else has the record must be done: it is held for one write
SECONDS = 10.0
#: what stands behind the record's name for the file that is locked, and for the record that is being written
LOCK, NEW = ".lock", ".new"


@contextlib.contextmanager
def locked(path: str, seconds: float = SECONDS) -> t.Iterator[None]:
    """Keep everybody else off the record meanwhile. The lock ends with its holder, however that ends.

    It is on a file of its own: the record is another file after each write. That file stays for ever, since two could
    hold locks of the same name otherwise.

    Raises BlockingIOError when somebody holds it for too long, and OSError where it cannot be.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path + LOCK, flags, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    why = f"another process has held the record for {seconds:.0f} s"
                    raise BlockingIOError(errno.EAGAIN, why, path + LOCK) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def read(path: str) -> str | None:
    """Return the text of the record, or None when there is none; OSError of what is no plain and short file.

    The file belongs to whoever is the witness's user, and may be a link, or a pipe that never ends.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "this is no plain file", path)
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise OSError(errno.EFBIG, f"this is longer than {LONGEST} bytes", path)
    return content.decode(errors="replace")


def keep(path: str, text: str) -> None:
    """Put this record in the place of the one that is there, and return when it outlives a power cut.

    Only who holds the lock may do so. A record that has the same text already is written again all the same: whoever
    wrote it may have been killed before it was safe. Raises OSError when it is not safe there. Unless that is an error
    of the directory, which comes last, the old record is still in its place then.
    """
    content = text.encode(errors="replace")
    if len(content) > LONGEST:
        raise OSError(errno.EFBIG, f"a record has at most {LONGEST} bytes, and this one has {len(content)}", path)
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        _write(path + NEW, content)
        try:
            os.replace(path + NEW, path)
        except OSError:
            _forget(path + NEW)
            raise
        os.fsync(directory)
    finally:
        os.close(directory)


def _write(path: str, content: bytes) -> None:
    _forget(path)  # of somebody who was killed
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        try:
            rest = content
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        _forget(path)
        raise


def _forget(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
