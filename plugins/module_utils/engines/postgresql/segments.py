# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The segments that have registered with the master."""

from __future__ import annotations

import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from . import database, server_info

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
