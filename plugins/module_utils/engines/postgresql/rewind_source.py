# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Letting another host read the master's files and make a backup of them, and ending that.

Sources: PostgreSQL manual, "pg_rewind" (Notes), "Backup Control Functions", "The pg_hba.conf File".
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ...host import files, lock
from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import conninfo, scram
from ...values.text import lines_of
from . import database, server_info

MARK = "# hawq.mirroring rewind"
CHECKPOINT_SECONDS = 600
#: PostgreSQL manual, "pg_rewind", Notes
FUNCTIONS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
    # "Backup Control Functions"
    "pg_backup_start(text, boolean)",
    "pg_backup_stop(boolean)",
)
TIMELINES = """
SELECT c.timeline_id AS last, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS now,
       current_setting('hba_file') AS hba_file
FROM pg_control_checkpoint() c
"""
ROLE = "SELECT shobj_description(oid, 'pg_authid') = %s AS ours FROM pg_roles WHERE rolname = %s"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE usename = %s"
#: a host that died is noticed before that
END_SECONDS = 20


def ours(cursor: t.Any, role: str) -> bool | None:
    """Whether there is the role, made here; None when there is none."""
    rows = database.rows(cursor, ROLE, (server_info.REWIND_MARK, role))
    return bool(rows[0]["ours"]) if rows else None


def edit_hba(cursor: t.Any, path: str, lines: list[str], act: bool) -> bool:
    """Let the role in, or not any more; return whether that changed the file."""
    path = os.path.realpath(path)
    text = files.read(path) or ""
    others = [line for line in lines_of(text) if not line.endswith(MARK)]
    wanted = "".join(f"{line}\n" for line in [*(f"{line} {MARK}" for line in lines), *others])
    if wanted == text:
        return False
    if act:
        files.write(path, wanted, os.stat(path).st_mode & 0o777, act=True)
        cursor.execute("SELECT pg_reload_conf()")
    return True


@contextlib.contextmanager
def _alone(instance: Instance, act: bool) -> t.Iterator[tuple[t.Any, dict[str, t.Any]]]:
    """Give a cursor, and the timelines, in the database that pg_rewind uses: privileges are each database's own."""
    with (
        lock.alone(act, lock.READERS),
        database.session(instance, statement_seconds=CHECKPOINT_SECONDS) as cursor,
    ):
        yield cursor, database.rows(cursor, TIMELINES)[0]


def present(
    instance: Instance,
    act: bool,
    *,
    role: str,
    passfile: str,
    password_of: str,
    hba_lines: list[str],
    by: str | None,
) -> dict[str, t.Any]:
    """Checkpoint, role, privileges, way in."""
    with _alone(instance, act) as (cursor, row):
        there = ours(cursor, role)
        if there is False:
            raise MirroringError(
                f"there is a role {role} that this collection did not make, and a rewind needs that name: rename it, or"
                " name another replication role with master_replication_user in the inventory"
            )
        old = row["last"] != row["now"]
        if act:
            if old:
                cursor.execute("CHECKPOINT")
            password = conninfo.password_in(files.read(passfile) or "", password_of)
            if password is None:
                raise MirroringError(f"{passfile} holds no password for {password_of}: run this again")
            verb = "ALTER" if there else "CREATE"
            database.keep_out_of_the_log(cursor)
            cursor.execute(f'{verb} ROLE "{role}" WITH LOGIN PASSWORD %s', (scram.verifier(password),))
            cursor.execute(f'COMMENT ON ROLE "{role}" IS %s', (server_info.REWIND_MARK,))
            server_info.claim(cursor, role, by)
            # some have taken that from all roles
            cursor.execute(f'GRANT CONNECT ON DATABASE {database.current(cursor)} TO "{role}"')
            for function in FUNCTIONS:
                cursor.execute(f'GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO "{role}"')
        changed = edit_hba(cursor, row["hba_file"], hba_lines, act) or not there
    diff = {"before": "absent\n" if changed else "present\n", "after": "present\n"}
    return {"changed": changed, "checkpointed": old and act, "diff": diff}


def wait_for_end(instance: Instance, cursor: t.Any, role: str) -> None:
    """Wait, bounded: a rewind that outlived its controller is not ended under way."""
    deadline = time.monotonic() + END_SECONDS
    while sessions := database.rows(cursor, SESSIONS, (role,)):
        if time.monotonic() > deadline:
            end = f"SELECT pg_terminate_backend({sessions[0]['pid']})"
            raise MirroringError(
                f"another host still reads the files of this one (process {sessions[0]['pid']}): run this again when it"
                f" has ended, or end it there: {database.typed(instance, end)}"
            )
        time.sleep(0.1)


def absent(instance: Instance, act: bool, *, role: str, by: str | None) -> dict[str, t.Any]:
    """Take all of it away, unless another run uses it by now."""
    with _alone(instance, act) as (cursor, row):
        there = bool(ours(cursor, role))
        if there and server_info.claimed(cursor, role, by):
            diff = {"before": "present\n", "after": "present\n"}
            return {"changed": False, "checkpointed": False, "diff": diff}
        if there and act:
            wait_for_end(instance, cursor, role)
        # the role goes last: what a killed run has left is found by it
        edited = edit_hba(cursor, row["hba_file"], [], act)
        if there and act:
            cursor.execute(f'REVOKE CONNECT ON DATABASE {database.current(cursor)} FROM "{role}"')
            for function in FUNCTIONS:
                cursor.execute(f'REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM "{role}"')
            cursor.execute(f'DROP ROLE "{role}"')
    changed = edited or there
    diff = {"before": "present\n" if changed else "absent\n", "after": "absent\n"}
    return {"changed": changed, "checkpointed": False, "diff": diff}
