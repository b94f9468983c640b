# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time on a host."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ..values import places
from . import separation
from .errors import MirroringError


class Lock(t.NamedTuple):
    """The beginning of the name of a file that is locked, and seconds to wait for it."""

    name: str
    seconds: int


#: what is changed on a host, and who reads the files of a master: that one waits for a checkpoint
CHANGES, READERS = "changes", "readers"
LOCKS = {
    CHANGES: Lock("/run/hawq-mirroring", 90),
    READERS: Lock("/run/hawq-mirroring-readers", 600),
}


@contextlib.contextmanager
def held(name: str, unit: str) -> t.Iterator[None]:
    """Keep the modules of other runs off this cluster meanwhile. The lock ends with its holder, however that ends."""
    begin, seconds = LOCKS[name]
    path = f"{begin}-{places.cluster(unit)}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise MirroringError(
                        f"another run has been changing this host for {seconds} s (it holds {path}):"
                        " run this again when it has ended"
                    ) from error
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(act: bool = True, name: str = CHANGES) -> t.Iterator[None]:
    """Let root hold the lock meanwhile; who does not act needs none.

    It is the host's and not the database's, where any role could hold it.
    """
    if not act:
        yield
        return
    separation.ask("lock", name)
    try:
        yield
    finally:
        separation.ask("unlock", name)
