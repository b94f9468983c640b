# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The segments that have registered with the master, and what a host remembers as one of them."""

from __future__ import annotations

import os
import stat
import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import memory
from . import database, server_info

if t.TYPE_CHECKING:
    from ...values.observation import Witness

#: where the program of a segment writes down what it heard, and where that of version 1.0 did
PLACES = ("/var/lib/hawq-mirroring-segment/segment.json", "/var/lib/hawq-mirroring/segment.json")
KNOWN = "SELECT hostname, bool_or(reported > '-infinity') AS here FROM public.hawq_mirroring_segment GROUP BY hostname"


def await_registration(instance: Instance, act: bool, *, wait_for: list[str], timeout: int) -> dict[str, t.Any]:
    """Ask until all are there or the time is up."""
    begin = time.monotonic()
    with database.session(instance) as cursor:
        if not database.rows(cursor, server_info.SEGMENTS_EXIST)[0]["there"]:
            raise MirroringError("the database postgres has no views of this collection: run init_standby.yml first")
        while True:
            known = {row["hostname"]: row["here"] for row in database.rows(cursor, KNOWN)}
            awaited = [name for name in wait_for if not known.get(name)]
            waited = time.monotonic() - begin
            if not awaited or waited > timeout or not act:
                return {
                    "changed": False,
                    "segments": database.rows(cursor, server_info.SEGMENTS),
                    "registered": sorted(name for name, here in known.items() if here),
                    "missing": sorted({*awaited, *(name for name, here in known.items() if not here)}),
                    "waited": round(waited, 2),
                }
            time.sleep(0.2)


def remembered() -> tuple[Witness | None, str | None]:
    """Return what this host remembers of the master that it last reached, or why that cannot be believed."""
    for path in PLACES:
        try:
            # the file is the segment's own: it may be a link, or a pipe that never ends
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            continue
        except OSError as error:
            return None, f"it cannot be opened: {error.strerror}"
        try:
            plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
            text = os.read(descriptor, memory.LONGEST + 1) if plain else b""
        finally:
            os.close(descriptor)
        if not plain or len(text) > memory.LONGEST:
            return None, "it is too long" if plain else "it is no plain file"
        found, wrong = memory.parse(text.decode(errors="replace"))
        if found:
            found["age_seconds"] = time.time() - found["at"]
        return found, wrong
    return None, None
