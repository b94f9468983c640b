# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time on a host."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from . import separation
from .errors import MirroringError

LOCK = "/run/hawq-mirroring.lock"
LOCK_SECONDS = 90


@contextlib.contextmanager
def held() -> t.Iterator[None]:
    """Keep the modules of another run off this host meanwhile. The lock ends with its holder, however that ends."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise MirroringError(
                        f"another run has been changing this host for {LOCK_SECONDS} s (it holds {LOCK}):"
                        " run this again when it has ended"
                    ) from error
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(act: bool = True) -> t.Iterator[None]:
    """Let root hold the lock meanwhile; who does not act needs none."""
    if not act:
        yield
        return
    separation.ask("lock")
    try:
        yield
    finally:
        separation.ask("unlock")
