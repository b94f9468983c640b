# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Making a standby the master, and giving the new master what it needs.

Sources: PostgreSQL manual, "Recovery Control Functions", "Failover".
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ...host import files, virtual_ip
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import history, places
from . import database, server_info, stopping

STATUS = """
SELECT pg_is_in_recovery() AS in_recovery, pg_last_wal_replay_lsn()::text AS replay_lsn,
       pg_last_wal_receive_lsn()::text AS receive_lsn, current_setting('synchronous_standby_names') AS synchronous,
       current_setting('max_slot_wal_keep_size') AS keep
"""
TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline"
SLOTS = "SELECT slot_name FROM pg_replication_slots"
ROLE = "SELECT FROM pg_roles WHERE rolname = %s"
CHECKPOINT_SECONDS = 600


def promote(cursor: t.Any, timeout: int) -> None:
    """Ask for the promotion and wait for its end, bounded."""
    cursor.execute("SELECT pg_is_wal_replay_paused() AS paused")
    if cursor.fetchone()["paused"]:
        cursor.execute("SELECT pg_wal_replay_resume()")
    cursor.execute("SELECT pg_promote(false)")
    deadline = time.monotonic() + timeout
    while True:
        row = database.rows(cursor, STATUS)[0]
        if not row["in_recovery"]:
            return
        if time.monotonic() > deadline:
            raise MirroringError(
                f"the promotion was asked for {timeout} s ago and is not done: replay stands at {row['replay_lsn']} of"
                f" {row['receive_lsn']}. It goes on by itself: look at the server's log, then run this again"
            )
        time.sleep(0.01)


def keep_wal(cursor: t.Any, slots: list[str], warn: t.Callable[[str], None]) -> list[str]:
    """Keep WAL for the old master's way back and for further standbys; return what was done.

    Before the promotion: the checkpoint that follows that removes the WAL since the last one that both have, which a
    rewind begins with. No new master is held up when there is no slot to be had.
    """
    done = []
    try:
        there = {row["slot_name"] for row in database.rows(cursor, SLOTS)} if slots else set()
        for slot in slots:
            if slot not in there:
                cursor.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
                done.append(f"slot {slot} made")
    except database.Error as error:
        warn(f"no WAL is kept for the old master's way back: {' '.join(str(error).split())}")
    return done


def equip(
    cursor: t.Any, row: dict[str, t.Any], role: str, name: str | None, standbys: list[str], wal_keep_megabytes: int
) -> list[str]:
    """Give the new master what it needs; return what was done."""
    done = []
    if row["synchronous"]:
        cursor.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        done.append("synchronous_standby_names emptied")
    if row["keep"] == "-1":
        cursor.execute(f"ALTER SYSTEM SET max_slot_wal_keep_size = '{int(wal_keep_megabytes)}MB'")
        done.append("max_slot_wal_keep_size limited")
    if done:
        cursor.execute("SELECT pg_reload_conf()")
    if database.rows(cursor, ROLE, (role,)):
        standbys = sorted(standbys)
        if [row["name"] for row in database.rows(cursor, server_info.STANDBYS)] != standbys:
            server_info.register(cursor, role, standbys)
            done.append("standbys registered" if standbys else "standby unregistered")
        known = database.rows(cursor, server_info.MASTER_NAME)
        if name and not (known and known[0]["name"] == name):
            cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.master" = %s', (name,))
            done.append("master named")
    return done


def began(instance: Instance, timeline: int) -> str | None:
    """Return the LSN at which a timeline began, from its history file."""
    path = os.path.join(instance.data_directory, "pg_wal", f"{timeline:08X}.history")
    lines = history.ancestors(files.read(path) or "")
    return lines[-1][1] if lines else None


def take_address(run: Runner, wanted: dict[str, str], timeout: int) -> tuple[bool, str | None]:
    """Bring the address here; return whether that was to be done, and why it did not work."""
    try:
        if not wanted["address"] or virtual_ip.here(run, wanted["address"]):
            return False, None
        virtual_ip.take(run, wanted["address"], wanted["interface"], timeout)
    except MirroringError as error:
        return True, str(error)
    return True, None


def activate(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    role: str,
    name: str | None,
    slots: list[str],
    standbys: list[str],
    wal_keep_megabytes: int,
    address: dict[str, str],
    address_timeout: int,
    timeout: int,
    warn: t.Callable[[str], None],
) -> dict[str, t.Any]:
    """Promote unless it is a master, commit a write, equip."""
    begin = time.monotonic()
    if not act and not stopping.workers(instance.data_directory):  # a stopped standby, which a run would start first
        return {"changed": True, "promoted": True, "diff": {"before": "standby\n", "after": "master\n"}}
    with database.session(instance, statement_seconds=timeout) as cursor:
        row = database.rows(cursor, STATUS)[0]
        before = row["in_recovery"]
        difference = {"before": "standby\n" if before else "master\n", "after": "master\n"}
        if not act:
            return {"changed": before, "promoted": before, "diff": difference}
        done = keep_wal(cursor, slots, warn)
        if before:
            promote(cursor, timeout)
            if database.rows(cursor, server_info.SEGMENTS_EXIST)[0]["there"]:
                cursor.execute("UPDATE public.hawq_mirroring_segment SET reported = '-infinity'")
        # a transaction with an identifier of its own commits in the WAL
        cursor.execute("SELECT pg_current_xact_id()")
        seconds = round(time.monotonic() - begin, 3)
        timeline = database.rows(cursor, TIMELINE)[0]["timeline"]
        moved, trouble = take_address(run, address, address_timeout)
        done += equip(cursor, row, role, name, standbys, wal_keep_megabytes)
        done += ["address brought here"] if moved and not trouble else []
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(instance.data_directory, places.RECORD))
    return {
        "changed": before or bool(done),
        "promoted": before,
        "done": done,
        "timeline": timeline,
        "activation_lsn": began(instance, timeline),
        "seconds": seconds,
        "released_from": row["synchronous"],
        "diff": difference,
        **({"address_trouble": trouble} if trouble else {}),
    }


def checkpoint(instance: Instance, act: bool) -> dict[str, t.Any]:
    """Make a checkpoint."""
    if act:
        with database.session(instance, statement_seconds=CHECKPOINT_SECONDS) as cursor:
            cursor.execute("CHECKPOINT")
    return {"changed": False, "promoted": False}
