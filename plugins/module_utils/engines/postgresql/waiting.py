# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Telling the guard of a master that a standby is about to stop, or is there again, and waiting until it has done so.

The guard alone changes for whom commits wait. It is told in the database, and says there what it has done.
"""

from __future__ import annotations

import json
import re
import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from . import database, server_info

RELEASED, AGAIN, CONFIRMED = "released", "again", "confirmed"
ASYNCHRONOUS = "asynchronous"
#: one that the operator has named as a standby that no commit is to wait for
IS_RELEASED = "SELECT FROM public.hawq_mirroring_released r WHERE r.standby = %s"
RELEASE = "SELECT public.hawq_mirroring_release(%s)"
WAIT_AGAIN = "SELECT public.hawq_mirroring_wait_again(%s)"
#: a commit that waits has begun to do so when another standby was named, or this one
LOOK = """
SELECT public.hawq_mirroring_guard()::text AS guard, current_setting('synchronous_standby_names') AS value,
       EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep') AS waits,
       (SELECT s.summary_state FROM public.hawq_mirroring_state() s WHERE s.standby = %s LIMIT 1) AS summary,
       (SELECT s.error_message FROM public.hawq_mirroring_state() s WHERE s.standby = %s LIMIT 1) AS reason
"""


class Seen(t.NamedTuple):
    """What the guard says, and what is set."""

    #: what the guard says of itself; nothing where it has not said anything yet
    guard: dict[str, t.Any]
    #: the standbys that commits wait for
    names: list[str]
    #: whether a commit waits at this moment
    waits: bool
    #: the state of the standby as clients see it, and why
    summary: str
    reason: str


def tell(
    instance: Instance, act: bool, *, state: str, standby: str, mode: str, unit: str, timeout: int
) -> dict[str, t.Any]:
    """Tell the guard, or ask it, until what it says fits or the time is up; once without ``act``."""
    begin = time.monotonic()
    with database.session(instance) as cursor:
        if not database.rows(cursor, server_info.GUARD_EXISTS)[0]["there"]:
            if state == CONFIRMED and act:
                raise MirroringError("the extension hawq_mirroring of this server is older than 1.2: no guard is told")
            return {"changed": False, "names": [], "waited": 0.0}
        changed = state != CONFIRMED and bool(database.rows(cursor, IS_RELEASED, (standby,))) == (state == AGAIN)
        if changed and act:
            database.rows(cursor, RELEASE if state == RELEASED else WAIT_AGAIN, (standby,))
        while True:
            seen = look(cursor, standby)
            waited = round(time.monotonic() - begin, 2)
            fits = (
                is_released(seen, standby) if state == RELEASED else state == AGAIN or is_confirmed(seen, standby, mode)
            )
            if fits or not act:
                return {"changed": changed, "names": seen.names, "waited": waited}
            if waited > timeout:
                if changed and state == RELEASED:
                    database.rows(cursor, WAIT_AGAIN, (standby,))
                raise MirroringError(trouble(seen, state, standby, mode, unit, waited))
            time.sleep(0.1)


def look(cursor: t.Any, standby: str) -> Seen:
    """Return what the guard says by now."""
    row = database.rows(cursor, LOOK, (standby, standby))[0]
    names = [name.replace('""', '"') for name in re.findall(r'"((?:[^"]|"")+)"', row["value"])]
    return Seen(json.loads(row["guard"] or "{}"), names, row["waits"], row["summary"] or "", row["reason"] or "")


def is_released(seen: Seen, standby: str) -> bool:
    """Whether no commit waits for this standby, nor will: the guard has understood that it is about to stop."""
    understood = standby in (seen.guard.get("released") or [])
    silent = seen.guard.get("mode", ASYNCHRONOUS) == ASYNCHRONOUS  # it lets commits wait for nobody
    return standby not in seen.names and (understood or silent) and (bool(seen.names) or not seen.waits)


def is_confirmed(seen: Seen, standby: str, mode: str) -> bool:
    """Whether commits wait for this standby as the mode says, which is for nobody where it is asynchronous."""
    if seen.guard.get("mode") != mode:
        return False
    if mode == ASYNCHRONOUS:
        return not seen.names
    return seen.guard.get("state") == "SYNCHRONOUS" and standby in seen.names and seen.summary == "Synchronized"


def trouble(seen: Seen, state: str, standby: str, mode: str, unit: str, waited: float) -> str:
    """Return what has not come, what the guard says, and what to look at."""
    if state == RELEASED:
        what = f"commits still wait for {standby} after {waited:.0f} s, and would hang when it stops"
    elif mode == ASYNCHRONOUS:
        what = f"commits still wait for a standby after {waited:.0f} s"
    elif standby in seen.names:
        what = f"commits wait for {standby}, and no majority of the witnesses knows it after {waited:.0f} s"
    else:
        what = f"commits do not wait for {standby} after {waited:.0f} s"
    said = seen.guard.get("reason") or "it has said nothing yet"
    which = f"{seen.guard['state']}: {said}" if seen.guard.get("state") else said
    if seen.guard.get("mode", mode) != mode and state == CONFIRMED:
        which = f"its mode is still {seen.guard['mode']}"
    more = f"; {seen.reason}" if seen.reason else ""
    return f"{what} (the guard: {which}{more}). Look at the guard: systemctl status {unit}, then run this again"
