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
from ...values.text import MEBIBYTE
from . import database, holding, promoting, recovering, retention, server_info, settings, stopping

TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline"
ROLE = "SELECT FROM pg_roles WHERE rolname = %s"
CHECKPOINT_SECONDS = 600
#: that a master gets at least, when the promotion has used up its time, to let in who equips it
SESSION_SECONDS = 15


def equip(
    cursor: t.Any,
    instance: Instance,
    row: dict[str, t.Any],
    role: str,
    name: str | None,
    standbys: list[str],
    kept: int | None,
    held: bool = False,
) -> list[str]:
    """Give the new master what it needs; return what was done. Where commits are held they are its guard's matter."""
    done, wanted = [], {}
    if row["synchronous"] and not held:
        wanted["synchronous_standby_names"] = ""
        done.append("synchronous_standby_names emptied")
    if row["in_step"]:
        # no standby is there yet, and consumers would wait for one
        wanted["synchronized_standby_slots"] = ""
        done.append("synchronized_standby_slots emptied")
    if kept is not None:
        wanted["max_slot_wal_keep_size"] = f"{int(kept)}MB"
        done.append(f"max_slot_wal_keep_size limited to {kept} MB")
    if wanted:
        settings.write(cursor, instance, wanted)
    if database.rows(cursor, ROLE, (role,)):
        if kept is not None:
            server_info.mark_kept_wal(cursor, role, int(kept), _before(cursor, row["keep_megabytes"]))
        standbys = sorted(standbys)
        if [row["name"] for row in database.rows(cursor, server_info.STANDBYS)] != standbys:
            server_info.register(cursor, role, standbys)
            done.append("standbys registered" if standbys else "standby unregistered")
        known = database.rows(cursor, server_info.MASTER_NAME)
        if name and not (known and known[0]["name"] == name):
            cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.master" = %s', (name,))
            done.append("master named")
    return done


def _before(cursor: t.Any, present: int) -> int:
    """Return the limit that there was before the first that was set here."""
    mark = next((str(row["mark"]).split() for row in database.rows(cursor, server_info.KEPT_WAL)), [])
    return int(mark[1]) if len(mark) == 2 and mark[0] == str(present) else present


def kept_wal(
    instance: Instance, row: dict[str, t.Any], wanted: int | None, fresh: bool, warn: t.Callable[[str], None]
) -> int | None:
    """Return the limit of the WAL that is kept, in megabytes, if it is to be set; say when the disk decides it."""
    found = retention.room(instance, row["wal_segment_bytes"], row["between_megabytes"] * MEBIBYTE)
    # the limit is one for all: a slot of somebody else is not to end before the disk ends them all
    wanted = retention.affordable(found) if wanted is None else wanted
    kept = retention.limit(row["keep_megabytes"], wanted, found, fresh)
    present = row["keep_megabytes"] if row["keep_megabytes"] >= 0 else wanted
    if kept is not None and kept < present:
        warn(
            f"the disk of the WAL has {found.free_bytes >> 20} MB free, so this master keeps {kept} MB of WAL for"
            f" standbys that are away, and not {present} MB: a disk without room for WAL would end it. A standby that"
            " is away for longer comes back by a comparison or a copy. With more room, raise max_slot_wal_keep_size"
        )
    if fresh and found.between_bytes > found.free_bytes + found.wal_bytes:
        warn(
            f"max_wal_size is {found.between_bytes >> 20} MB, and the disk of the WAL has {found.free_bytes >> 20} MB"
            " free: so much may be written between two checkpoints, and a disk without room for WAL would end this"
            " master. Make room there, or lower max_wal_size"
        )
    return kept


def began(instance: Instance, timeline: int) -> str | None:
    """Return the LSN at which a timeline began, from its history file."""
    path = os.path.join(instance.data_directory, "pg_wal", f"{timeline:08X}.history")
    lines = history.ancestors(files.read(path) or "")
    return lines[-1][1] if lines else None


def take_address(instance: Instance, run: Runner, wanted: dict[str, str], timeout: int) -> tuple[bool, str | None]:
    """Bring the address here; return whether that was to be done, and why it did not work."""
    try:
        if not wanted["address"] or virtual_ip.here(run, wanted["address"]):
            return False, None
        virtual_ip.take(run, instance.service, wanted["address"], wanted["interface"], timeout)
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
    other_slots: bool,
    address: dict[str, str],
    address_timeout: int,
    timeout: int,
    warn: t.Callable[[str], None],
    held: bool = False,
    inherited: dict[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """Promote unless it is a master, commit a write, equip."""
    begin, hold = time.monotonic(), holding.Hold(held, inherited)
    if not act:
        # a stopped standby is started by a run first
        before = not stopping.workers(instance.data_directory) or not _is_master(instance, run)
        return {"changed": before, "promoted": before, "diff": _difference(before)}
    with promoting.Promotion(instance, run, begin + timeout, timeout, hold=hold) as work:
        done = work.promote(slots)
        work.deadline = max(work.deadline, time.monotonic() + SESSION_SECONDS)
        row, late = work.until_session(
            lambda cursor: (
                _committed(cursor, work.promoted),
                [] if work.slots_made else promoting.keep_wal(cursor, slots, warn),
            )
        )
        seconds = round(time.monotonic() - begin, 3)
        if work.promoted and hold.inherited and hold.inherited["timeline"] != row["timeline"]:
            holding.bequeath(instance, {**hold.inherited, "timeline": row["timeline"]})
        work.crowd.make_room_for_others()
        moved, trouble = take_address(instance, run, address, address_timeout)
        if late and work.promoted:
            warn(
                f"no slot could be made before the standby was promoted ({work.reason}), so {' and '.join(late)} only"
                " after that: WAL that a rewind of the old master begins with may be gone, and then it comes back by"
                " a comparison of all (delta)"
            )
        wanted = None if other_slots or row["others"] else wal_keep_megabytes
        kept = kept_wal(instance, row, wanted, work.promoted, warn)
        done += late + work.until_session(
            lambda cursor: equip(cursor, instance, row, role, name, standbys, kept, hold.held)
        )
        done += ["address brought here"] if moved and not trouble else []
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(instance.data_directory, places.RECORD))
    return {
        "changed": work.promoted or bool(done) or bool(work.crowd.ended),
        "promoted": work.promoted,
        "done": done,
        "timeline": row["timeline"],
        "activation_lsn": began(instance, row["timeline"]),
        "seconds": seconds,
        "released_from": "" if hold.held else row["synchronous"],
        "ended_sessions": work.crowd.ended,
        "last_commit_at": row["last_commit_at"] if work.promoted else None,
        "promoted_at": work.promoted_at,
        "diff": _difference(work.promoted),
        **({"address_trouble": trouble} if trouble else {}),
    }


def _difference(promoted: bool) -> dict[str, str]:
    return {"before": "standby\n" if promoted else "master\n", "after": "master\n"}


def _is_master(instance: Instance, run: Runner) -> bool:
    try:
        with database.session(instance) as cursor:
            return not database.rows(cursor, promoting.STATUS)[0]["in_recovery"]
    except MirroringError:
        return recovering.state(instance, run) == recovering.MASTER


def _committed(cursor: t.Any, promoted: bool) -> dict[str, t.Any]:
    """Commit a write; return what the master is then."""
    if promoted and database.rows(cursor, server_info.SEGMENTS_EXIST)[0]["there"]:
        cursor.execute("UPDATE public.hawq_mirroring_segment SET reported = '-infinity'")
    # a transaction with an identifier of its own commits in the WAL
    cursor.execute("SELECT pg_current_xact_id()")
    return {**database.rows(cursor, promoting.STATUS)[0], **database.rows(cursor, TIMELINE)[0]}


def checkpoint(instance: Instance, run: Runner, act: bool) -> dict[str, t.Any]:
    """Make a checkpoint, also where all sessions are taken."""
    seconds = CHECKPOINT_SECONDS
    with promoting.Promotion(instance, run, time.monotonic() + seconds, seconds, seconds) as work:
        if act:
            work.until_session(lambda cursor: cursor.execute("CHECKPOINT"))
    return {"changed": False, "promoted": False, "ended_sessions": work.crowd.ended}


def commits(instance: Instance, run: Runner, act: bool, *, timeout: int) -> dict[str, t.Any]:
    """Wait until commits go on."""
    return holding.commits(instance, act, timeout)
