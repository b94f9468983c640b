# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a master needs to be the source of a standby, and taking that away: role, registration, slot.

Sources: PostgreSQL manual, "Streaming Replication", "Replication Slots".
"""

from __future__ import annotations

import time
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.lock import alone
from ...host.module import Instance
from ...values import conninfo, scram
from . import database, server_info, staging

OTHERS_NEED_ROLE = """
SELECT EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = %s::regrole) AS there
"""
SLOT = "SELECT slot_type, active, active_pid, wal_status FROM pg_replication_slots WHERE slot_name = %s"
STALE_HBA = "SELECT (pg_stat_file(current_setting('hba_file'))).modification > pg_conf_load_time() AS stale"
REPLIED = "SELECT max(reply_time) AS at FROM pg_stat_replication WHERE application_name = %s AND usename = %s"
#: whom the slot serves, if that is no snapshot
STREAMS = """
SELECT application_name AS name FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid
WHERE slot_name = %s AND application_name <> %s
"""
END_SNAPSHOT = "SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = %s AND usename = %s"
RELEASE_SECONDS = 10
#: a snapshot's WAL receiver answers every second
ANSWER_SECONDS = 4


def ensure_role(instance: Instance, cursor: t.Any, role: str, password: str | None, act: bool) -> str | None:
    """Create or repair the replication role; return created, repaired or nothing."""
    found = server_info.replication_role(cursor, role)
    if found:
        row = found[0]
        if row["may_replicate"] and scram.matches(password or "", row["rolpassword"]):
            return None
        if not row["ours"]:
            ours = f"COMMENT ON ROLE {role} IS '{server_info.REPLICATION_MARK}'"
            raise MirroringError(
                f"there is a role {role} that this collection did not make, with another password: name another with"
                f" master_replication_user in the inventory, or hand it over, which changes its password:"
                f" {database.typed(instance, ours)}"
            )
    if act:
        verb = "ALTER" if found else "CREATE"
        rights = "LOGIN REPLICATION VALID UNTIL 'infinity'"
        database.keep_out_of_the_log(cursor)
        cursor.execute(f'{verb} ROLE "{role}" WITH {rights} PASSWORD %s', (scram.verifier(password or ""),))
        cursor.execute(f'COMMENT ON ROLE "{role}" IS %s', (server_info.REPLICATION_MARK,))
    return "repaired" if found else "created"


def ensure_registration(cursor: t.Any, role: str, wanted: list[str], act: bool) -> str | None:
    """Register these standbys alone: a master that was one itself still is registered. Return created or nothing."""
    if [row["name"] for row in database.rows(cursor, server_info.STANDBYS)] == wanted:
        return None
    if act:
        server_info.register(cursor, role, wanted)
    return "created"


def ensure_name(cursor: t.Any, role: str, master: str | None, act: bool) -> str | None:
    """Let the views say who the master is; return repaired or nothing."""
    found = database.rows(cursor, server_info.MASTER_NAME)
    if not master or (found and found[0]["name"] == master):
        return None
    if act:
        cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.master" = %s', (master,))
    return "repaired"


def ensure_slot(cursor: t.Any, slot: str, act: bool) -> str | None:
    """Create the slot, anew when it has lost its WAL; return created, repaired or nothing."""
    found = database.rows(cursor, SLOT, (slot,))
    if found and found[0]["wal_status"] != "lost":
        return None
    if act:
        if found:
            drop_slot(cursor, slot)
        cursor.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
    return "repaired" if found else "created"


def drop_slot(cursor: t.Any, slot: str) -> None:
    """Drop a slot; whoever still holds it is ended first, bounded."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while True:
        slots = database.rows(cursor, SLOT, (slot,))
        if not slots:
            return
        if not slots[0]["active"]:
            cursor.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
            return
        if time.monotonic() > deadline:
            raise MirroringError(
                f"slot {slot} is still held by process {slots[0]['active_pid']}, which was told to end"
                f" {RELEASE_SECONDS} s ago: see what it does (ps -fp {slots[0]['active_pid']}), then run this again"
            )
        cursor.execute("SELECT pg_terminate_backend(%s)", (slots[0]["active_pid"],))
        time.sleep(0.1)


def present(
    instance: Instance,
    act: bool,
    *,
    role: str,
    passfile: str,
    master: str | None,
    standby: str,
    others: list[str],
    slot: str,
    kept_wal: int | None,
    by: str | None,
) -> dict[str, t.Any]:
    """Make what is missing."""
    with alone(act), database.session(instance) as cursor:
        password = conninfo.password_in(files.read(passfile) or "", role)
        if password is None and act:
            raise MirroringError(f"{passfile} holds no password for {role}: run the whole playbook again")
        outcome = {
            "role": ensure_role(instance, cursor, role, password, act),
            "registration": ensure_registration(cursor, role, sorted({standby, *others}), act),
            "name": ensure_name(cursor, role, master, act),
            "slot": ensure_slot(cursor, slot, act),
            "loaded pg_hba.conf": "repaired" if database.rows(cursor, STALE_HBA)[0]["stale"] else None,
        }
        if outcome["loaded pg_hba.conf"] and act:
            cursor.execute("SELECT pg_reload_conf()")
        if act:
            server_info.claim(cursor, role, by)
            if kept_wal is not None:
                server_info.mark_kept_wal(cursor, role, kept_wal, server_info.NO_LIMIT)
    created, repaired = ([name for name, what in outcome.items() if what == word] for word in ("created", "repaired"))
    return _answer([], created, repaired)


def _answer(removed: list[str], created: list[str], repaired: list[str], **further: t.Any) -> dict[str, t.Any]:
    """Return what every call says."""
    after = created + repaired
    shown = ["".join(f"{word}\n" for word in words) for words in (removed, after)]
    return {
        "changed": bool(removed or after),
        "created": created,
        "goes_on": False,
        "used_by": "",
        "slot_lost": False,
        "removed": removed,
        "role_stays": "",
        "slot_made": "slot" in after,
        "diff": {"before": shown[0], "after": shown[1]},
        **further,
    }


def answers(cursor: t.Any, role: str) -> bool:
    """Whether the WAL receiver of a snapshot answers, bounded: it does not while its host is off, cut off or frozen."""
    deadline = time.monotonic() + ANSWER_SECONDS
    first = database.rows(cursor, REPLIED, (staging.APPLICATION, role))[0]["at"]
    while first is not None and time.monotonic() < deadline:
        time.sleep(0.2)
        if (database.rows(cursor, REPLIED, (staging.APPLICATION, role))[0]["at"] or first) > first:
            return True
    return False


def used_by(cursor: t.Any, role: str, slot: str, by: str) -> str:
    """Return who beside this run relies on what it made, in words."""
    other = server_info.claimed(cursor, role, by)
    if other:
        return f"the run {other}"
    streams = database.rows(cursor, STREAMS, (slot, staging.APPLICATION))
    return f"{streams[0]['name']}, which streams" if streams else ""


def why_role_stays(cursor: t.Any, role: str) -> str:
    """Say why the role must not or cannot be dropped; nothing when it can be, or is not there."""
    found = server_info.replication_role(cursor, role)
    if found and not found[0]["ours"]:
        return "it was not made by this collection"
    if found and database.rows(cursor, OTHERS_NEED_ROLE, (f'"{role}"',))[0]["there"]:
        return "it owns or may use other objects"
    return ""


def absent(
    instance: Instance,
    act: bool,
    *,
    role: str,
    master: str | None,
    standby: str,
    slot: str,
    created: list[str],
    spare: bool,
    by: str | None,
) -> dict[str, t.Any]:
    """Take it away, in the opposite order."""
    with alone(act), database.session(instance) as cursor:
        if spare and answers(cursor, role):
            return _answer([], [], [], goes_on=True)
        user = used_by(cursor, role, slot, by) if by else ""
        if user:
            return _answer([], [], [], goes_on=True, used_by=user)
        slots = database.rows(cursor, SLOT, (slot,))
        there = bool(server_info.replication_role(cursor, role))
        stays = why_role_stays(cursor, role) if "role" in created else ""
        standbys = [row["name"] for row in database.rows(cursor, server_info.STANDBYS)]
        others = [name for name in standbys if name not in (standby, master)]
        if others != standbys and not there and "registration" in created:
            raise MirroringError(
                f"{', '.join(standbys)} is registered, but not at the role {role}: name that with"
                " master_replication_user in the inventory"
            )
        exists = {"slot": bool(slots), "registration": others != standbys, "role": there and not stays}
        removed = [name for name, found in exists.items() if found and name in created]
        if act:
            _take_away(cursor, role, slot, removed, others)
    return _answer(removed, [], [], slot_lost=bool(slots) and slots[0]["wal_status"] == "lost", role_stays=stays)


def _take_away(cursor: t.Any, role: str, slot: str, removed: list[str], others: list[str]) -> None:
    # first, so that nobody whose lines are gone from pg_hba.conf comes back to the slot
    cursor.execute("SELECT pg_reload_conf()")
    cursor.execute(END_SNAPSHOT, (staging.APPLICATION, role))
    if "slot" in removed:
        drop_slot(cursor, slot)
    if "registration" in removed:
        server_info.register(cursor, role, others)
    if "role" in removed:
        cursor.execute(f'DROP ROLE "{role}"')
    elif not others and server_info.replication_role(cursor, role):
        cursor.execute(f'ALTER ROLE "{role}" RESET "hawq_mirroring.kept_wal"')
