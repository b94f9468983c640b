# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What keeps a new master from confirming a commit before its guard lets it, and what its guard is told.

Sources: PostgreSQL manual, "Synchronous Replication"; ``syncrep.c`` (whether a commit waits is a flag that the
checkpointer sets when it has read its settings again); ``timeline.c`` (a promotion takes the first number behind its
own whose history file is not there).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import ledger, places, settings_file
from . import database, settings

SETTING = "synchronous_standby_names"
#: what is set on a standby before it is activated, as the guard writes it: nobody may be called so, and so commits wait
HELD = 'ANY 1 ("hawq_mirroring_nobody")'
#: seconds until every process has read it, and between two looks
SECONDS, LOOK_SECONDS = 10.0, 0.05
#: in a process's masks: what makes it read its settings
RELOAD = 1 << (signal.SIGHUP - 1)
STATE = """
SELECT pg_is_in_recovery() AS standby, current_setting('synchronous_standby_names') AS value,
       (SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer') AS checkpointer
"""
#: of a timeline that was promised to somebody else
PASSED_OVER = "# passed over by hawq.mirroring: this timeline was promised to another host\n"
GUARDED = "SELECT to_regprocedure('public.hawq_mirroring_guard()') IS NOT NULL AS guarded"
COMMITS = """
SELECT current_setting('synchronous_standby_names') AS value, t.timeline,
       coalesce(public.hawq_mirroring_guard() ->> 'reason', '') AS reason,
       (SELECT max(number) FROM public.hawq_mirroring_wish w WHERE w.timeline = t.timeline AND w.granted) AS granted
FROM (SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint AS timeline) t
"""
RECORDS = "SELECT record FROM public.hawq_mirroring_witness ORDER BY hostname"


class Hold(t.NamedTuple):
    """What is done before a promotion so that witnesses know of the new master before it confirms a commit."""

    #: whether it confirms none before its guard lets it
    held: bool = False
    #: what the guard is told: timeline, number and witnesses; and the timelines that the promotion passes over
    inherited: dict[str, t.Any] | None = None

    @property
    def skipped(self) -> list[int]:
        """Timelines that the promotion passes over."""
        return list((self.inherited or {}).get("skipped") or [])


def hold(cursor: t.Any, instance: Instance) -> bool:
    """Let no commit of this standby be confirmed once it is a master: on disk and in effect; return what it is now.

    A master is not touched: there it is its guard's.
    """
    seen = database.rows(cursor, STATE)[0]
    if not seen["standby"]:
        return False
    now = next(iter(database.rows(cursor, settings.QUERY, ([SETTING],))), {})
    if (seen["value"], now.get("told")) == (HELD, HELD):
        return True
    settings.write(cursor, instance, {SETTING: HELD})
    deadline = time.monotonic() + SECONDS
    quiet = 0
    while quiet < 2:
        if time.monotonic() > deadline:
            raise MirroringError(
                f"{SETTING} is {HELD} in postgresql.auto.conf and not in effect after {SECONDS:.0f} s"
                f" ({SETTING} is {seen['value'] or 'empty'}): look whether anything else sets it, then run this again"
            )
        time.sleep(LOOK_SECONDS)
        seen = database.rows(cursor, STATE)[0]
        quiet = quiet + 1 if seen["value"] == HELD and has_read(seen["checkpointer"]) else 0
    return True


def has_read(pid: int | None) -> bool:
    """Whether a process sleeps and has no signal before it that makes it read its settings; of none it is so."""
    status = files.text_of(f"/proc/{pid}/status") if pid else None
    if status is None:
        return pid is None
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    try:
        pending = int(lines["SigPnd"], 16) | int(lines["ShdPnd"], 16)
        return lines["State"].split()[0] == "S" and not pending & RELOAD
    except (KeyError, ValueError, IndexError):
        return False


def is_written(instance: Instance) -> bool:
    """Whether the same stands on disk, of a server that gives no session: its guard has set it long ago then."""
    text = files.text_of(os.path.join(instance.data_directory, "postgresql.auto.conf")) or ""
    return settings_file.parse(text).get(SETTING) == HELD


def bequeath(instance: Instance, inherited: dict[str, t.Any] | None) -> None:
    """Put what the witnesses have told where the guard of the new master reads it, before there is one."""
    if inherited is None:
        return
    names = ("timeline", "number", "witnesses")
    text = json.dumps({name: inherited[name] for name in names}) + "\n"
    files.write(os.path.join(instance.data_directory, places.INHERITED), text, act=True)
    files.sync_directory(instance.data_directory)


def pass_over(instance: Instance, skipped: t.Iterable[int]) -> None:
    """Let the promotion take no number that was promised to another host.

    Only directly before it: a standby that is started with such a file would not start.
    """
    written = False
    for number in skipped:
        path = _history(instance, number)
        if not os.path.lexists(path):
            files.write(path, PASSED_OVER, act=True)
            written = True
    if written:
        files.sync_directory(os.path.dirname(_history(instance, 1)))


def take_up(instance: Instance, hold_: Hold) -> None:
    """Remove the same again where nobody was promoted."""
    timeline = (hold_.inherited or {}).get("timeline")
    if timeline and os.path.lexists(_history(instance, timeline)):
        return  # those who follow look at each number in turn
    for number in hold_.skipped:
        path = _history(instance, number)
        if files.text_of(path) == PASSED_OVER:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _history(instance: Instance, number: int) -> str:
    return os.path.join(instance.data_directory, "pg_wal", f"{number:08X}.history")


def commits(instance: Instance, act: bool, timeout: int) -> dict[str, t.Any]:
    """Wait until commits of a new master go on; return by whose consent, or why they do not."""
    begin = time.monotonic()
    while True:
        try:
            found = _commits(instance)
        except MirroringError as error:
            found = {"held": True, "waits_for": HELD, "reason": str(error), "consented": []}
        seconds = time.monotonic() - begin
        if not found["held"] or not act or seconds > timeout:
            return {"changed": False, "promoted": False, "waited": round(seconds, 2), **found}
        time.sleep(0.2)


def _commits(instance: Instance) -> dict[str, t.Any]:
    with database.session(instance) as cursor:
        if not database.rows(cursor, GUARDED)[0]["guarded"]:
            raise MirroringError(
                "the extension hawq_mirroring of this server is older than 1.2, and so its guard does nothing: run"
                " init_standby.yml, which brings it up to date"
            )
        row = database.rows(cursor, COMMITS)[0]
        records = [ledger.parse(str(each["record"]))[0] for each in database.rows(cursor, RECORDS)]
    wishes = [(each.name, each.wish) for each in records if each and each.wish]
    consented = [
        name
        for name, wish in wishes
        if row["granted"] is not None and wish.timeline == row["timeline"] and wish.number >= row["granted"]
    ]
    return {
        "held": row["value"] == HELD,
        "waits_for": row["value"],
        "reason": row["reason"],
        "consented": consented if not row["value"] else [],
    }
