# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a running server says of itself, in one session.

Sources: PostgreSQL manual, "The Cumulative Statistics System", "System Administration Functions", "System Views".
"""

from __future__ import annotations

import hashlib
import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import observation, wal
from ...values.text import MEBIBYTE
from ..table import POSTGRESQL
from . import configured, damage, database, needs, replay

#: on a standby a lock of the replay lasts as long as that waits; what stands behind it is not worth a long wait
LOCK_MILLISECONDS = 500
LOCK_NOT_AVAILABLE = "55P03"
#: a file that is not there, or is closed to the server
FILE_ERRORS = ("58P01", "42501", "58030")
SETTINGS = (
    *POSTGRESQL.standby_at_least,
    *POSTGRESQL.restart_settings,
    *POSTGRESQL.standby_settings,
    "data_checksums",
    "hba_file",
    "max_slot_wal_keep_size",
    "port",
    "server_version_num",
    "synchronous_standby_names",
    "wal_segment_size",
)

SETTINGS_QUERY = """
SELECT name, setting, pending_restart FROM pg_settings WHERE name = ANY(%s) OR pending_restart ORDER BY name
"""
GENERAL = """
SELECT pg_is_in_recovery() AS standby,
       s.system_identifier::text AS system_identifier,
       current_database()::text AS database,
       c.timeline_id AS checkpoint_timeline,
       extract(epoch FROM pg_postmaster_start_time())::float8 AS started,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END::text AS current_lsn,
       CASE WHEN NOT pg_is_in_recovery() THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
            ELSE (SELECT received_tli FROM pg_stat_wal_receiver) END AS timeline,
       coalesce((pg_stat_file(current_setting('hba_file'), true)).modification > pg_conf_load_time(), true)
           AS access_stale,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), c.redo_lsn) END::bigint
           AS wal_since_checkpoint,
       extract(epoch FROM clock_timestamp() - c.checkpoint_time)::float8 AS checkpoint_age_seconds,
       pg_last_wal_replay_lsn()::text AS replay_lsn,
       greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text AS have_lsn,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS replay_paused,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS replay_age_seconds,
       extract(epoch FROM pg_last_xact_replay_timestamp())::float8 AS last_commit_at
FROM pg_control_system() s, pg_control_checkpoint() c
"""
#: a walsender and a background worker take none of the sessions of max_connections
SESSIONS = """
SELECT current_setting('max_connections')::int - count(*) AS free, count(*) AS clients
FROM pg_stat_activity WHERE backend_type = 'client backend' AND NOT starts_with(application_name, 'hawq_mirroring')
"""
SENDERS = """
SELECT pid, usename AS user, application_name AS name, client_addr::text AS address,
       coalesce(state = 'streaming', false) AS streaming, coalesce(state = 'backup', false) AS copying,
       sent_lsn::text, flush_lsn::text AS flushed_lsn, replay_lsn::text,
       extract(epoch FROM backend_start)::float8 AS since,
       extract(epoch FROM replay_lag)::float8 AS replay_lag_seconds
FROM pg_stat_replication ORDER BY pid
"""
SLOTS = """
SELECT slot_name AS name, slot_type = 'physical' AS physical, temporary, active, active_pid,
       restart_lsn::text AS keeps_from, coalesce(wal_status = 'lost', false) AS lost, wal_status AS wal,
       safe_wal_size AS safe_bytes,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END::bigint
           AS retained_bytes,
       plugin, database, confirmed_flush_lsn::text AS confirmed_lsn, two_phase,
       coalesce((to_jsonb(s) ->> 'failover')::boolean, false) AS failover,
       coalesce((to_jsonb(s) ->> 'synced')::boolean, false) AS synced
FROM pg_replication_slots s ORDER BY slot_name
"""
RECEIVER = """
SELECT status, sender_host AS host, sender_port AS port, slot_name AS slot, flushed_lsn::text, latest_end_lsn::text,
       received_tli AS timeline,
       extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8 AS silent_seconds
FROM pg_stat_wal_receiver
"""
#: the comment of a replication role that was made here
REPLICATION_MARK = "made by hawq.mirroring for its standby"
#: a replication role; one that has expired lets nobody in
REPLICATION_ROLE = """
SELECT rolpassword, rolreplication AND rolcanlogin AND coalesce(rolvaliduntil > now(), true) AS may_replicate,
       shobj_description(oid, 'pg_authid') = %s AS ours
FROM pg_authid WHERE rolname = %s
"""
#: the comment of the role that a rewind reads the master's files as
REWIND_MARK = "made by hawq.mirroring for a rewind"
REWIND_ROLES = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = %s"
#: recycled segments have later names; those of all timelines count
WAL = """
SELECT min(substr(name, 9)) AS oldest, sum(size)::bigint AS bytes FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'
"""
TABLESPACES = """
SELECT spcname AS name, pg_tablespace_location(oid) AS location
FROM pg_tablespace WHERE pg_tablespace_location(oid) <> ''
"""
STANDBYS = """
SELECT trim(name) AS name
FROM pg_db_role_setting s, unnest(s.setconfig) AS c,
     regexp_split_to_table(substr(c, strpos(c, '=') + 1), ',') AS name
WHERE s.setdatabase = 0 AND c LIKE 'hawq\\_mirroring.standbys=%' AND trim(name) <> ''
ORDER BY 1
"""
#: not the options, which may hold secrets, but what tells two files apart
HBA_RULES = """
SELECT encode(sha256(convert_to(coalesce(string_agg(
           concat_ws(' ', type, database, user_name, address, netmask, auth_method), ',' ORDER BY line_number), ''),
           getdatabaseencoding())), 'hex') AS digest,
       coalesce(array_agg(concat_ws(' ', current_setting('hba_file'), 'line ' || line_number || ':', error) ORDER BY
           line_number) FILTER (WHERE error IS NOT NULL), '{}') AS errors,
       coalesce(bool_or(
           type LIKE 'host%' AND auth_method <> 'reject' AND database <> '{replication}'
           AND address NOT IN ('127.0.0.1', '::1', 'localhost')
           AND EXISTS (SELECT FROM unnest(user_name) AS u WHERE NOT starts_with(u, 'hawq_mirroring'))
       ), false) AS clients
FROM pg_hba_file_rules
"""
MASTER_NAME = """
SELECT substr(c, strpos(c, '=') + 1) AS name FROM pg_db_role_setting s, unnest(s.setconfig) AS c
WHERE s.setdatabase = 0 AND c LIKE 'hawq\\_mirroring.master=%' LIMIT 1
"""
#: as the engine writes that there is no limit of kept WAL
NO_LIMIT = -1
#: the limit of kept WAL that was set here, and what there was before
KEPT_WAL = """
SELECT substr(c, strpos(c, '=') + 1) AS mark FROM pg_db_role_setting s, unnest(s.setconfig) AS c
WHERE s.setdatabase = 0 AND c LIKE 'hawq\\_mirroring.kept_wal=%' LIMIT 1
"""
#: which run relies on a role last
RUN = """
SELECT substr(c, strpos(c, '=') + 1) AS run
FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS c
WHERE s.setdatabase = 0 AND r.rolname = %s AND c LIKE 'hawq\\_mirroring.run=%%'
"""
SEGMENTS = """
SELECT hostname, port, status::text, description FROM public.gp_segment_configuration WHERE role = 'p'
ORDER BY registration_order
"""
SIZES = """
SELECT spcname AS name, pg_tablespace_size(oid) AS bytes, pg_tablespace_location(oid) AS location FROM pg_tablespace
"""
#: only the extension's own relations are used: anybody may put one of that name into a schema that is open to all
VIEW_EXISTS = """
SELECT EXISTS (
    SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
      AND d.objid = to_regclass('public.gp_master_mirroring') AND e.extname = 'hawq_mirroring') AS there
"""
SEGMENTS_EXIST = VIEW_EXISTS.replace("gp_master_mirroring", "hawq_mirroring_segment")
#: the function that a guard tells its state by, in the version of the extension that has one
GUARD_EXISTS = VIEW_EXISTS.replace("pg_class", "pg_proc").replace(
    "to_regclass('public.gp_master_mirroring')", "to_regprocedure('public.hawq_mirroring_guard()')"
)
#: whether a standby that is there and answers is about to be waited for, which its guard sees a moment later
ABOUT_TO_WAIT = """
SELECT EXISTS (
    SELECT FROM public.hawq_mirroring_guard() g, pg_stat_replication w
    JOIN pg_replication_slots l ON l.active_pid = w.pid
    WHERE g ->> 'mode' <> 'asynchronous' AND coalesce(g -> 'released', '[]') = '[]'
      AND w.state = 'streaming' AND l.slot_name LIKE 'hawq\\_mirroring\\_%' AND l.slot_name NOT LIKE '%\\_snapshot'
      AND w.reply_time > clock_timestamp() - interval '1 second') AS there
"""
#: seconds that a look waits for that at most, and between two looks
ABOUT_TO_WAIT_SECONDS, BETWEEN = 3.0, 0.2
VIEW = """
SELECT summary_state, detail_state, extract(epoch FROM log_time)::float8 AS since, error_message
FROM public.gp_master_mirroring
"""
MIRRORS = """
SELECT standby, summary_state, detail_state, extract(epoch FROM log_time)::float8 AS since, error_message
FROM public.hawq_mirroring_state() ORDER BY standby
"""


def replication_role(cursor: t.Any, role: str) -> list[dict[str, t.Any]]:
    """Return the role's row (rolpassword, may_replicate, ours), or none."""
    return database.rows(cursor, REPLICATION_ROLE, (REPLICATION_MARK, role))


def register(cursor: t.Any, role: str, names: list[str]) -> None:
    """Write the names of the standbys where every database and every standby can read them."""
    if names:
        cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.standbys" = %s', (",".join(names),))
    else:
        cursor.execute(f'ALTER ROLE "{role}" RESET "hawq_mirroring.standbys"')


def mark_kept_wal(cursor: t.Any, role: str, now: int, was: int) -> None:
    """Remember, in megabytes, which limit of kept WAL was set here, and what there was before."""
    cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.kept_wal" = %s', (f"{now} {was}",))


def claim(cursor: t.Any, role: str, run: str | None) -> None:
    """Say that a run relies on a role by now, and on what belongs to it: another one that fails leaves it."""
    if run:
        cursor.execute(f'ALTER ROLE "{role}" SET "hawq_mirroring.run" = %s', (run,))


def claimed(cursor: t.Any, role: str, run: str | None) -> str | None:
    """Return the other run that relies on a role, if that is not this one."""
    found = database.rows(cursor, RUN, (role,)) if run else []
    return str(found[0]["run"]) if found and found[0]["run"] != run else None


def gather(instance: Instance, sizes: bool, running: bool) -> tuple[observation.Server | None, str | None, str | None]:
    """Return the server's account of itself, or None; the reason why there is none; what it says of damaged data."""
    if not running:
        return None, "the server is not running", None
    try:
        with database.session(instance) as cursor:
            found = t.cast(observation.Server, database.rows(cursor, GENERAL)[0])
            if found["standby"]:
                cursor.execute(f"SET lock_timeout = {LOCK_MILLISECONDS}")
            _of_replay(cursor, found)
            _of_wal(cursor, found)
            _of_catalogs(cursor, found)
            needed = needs.of_server(cursor, instance)
    except MirroringError as error:
        return None, str(error), damage.of_server(instance, error)
    found["sizes"] = measure(instance) if sizes and not found["standby"] else None
    found["needs"] = _of_databases(instance, found, needed) if needed else None
    return found, None, None


def _of_databases(instance: Instance, found: observation.Server, needed: needs.Found) -> observation.Needs:
    """What only sessions with each database tell. A standby that has lost its master may be waited for."""
    alone = found["standby"] and not found["receiver"]
    names = [] if alone else found["databases"]
    return needs.of_databases(needed, instance, names, found["standby"])


def _of_replay(cursor: t.Any, found: observation.Server) -> None:
    sessions = database.rows(cursor, SESSIONS)[0]
    found["sessions_free"], found["clients"] = sessions["free"], sessions["clients"]
    found["replay_blocked"], found["blockers"] = replay.waits(cursor) if found["standby"] else (False, [])


def _of_wal(cursor: t.Any, found: observation.Server) -> None:
    # first: it makes the server compare its files with what is in effect
    found["configuration_errors"] = configured.errors(cursor)
    settings = database.rows(cursor, SETTINGS_QUERY, (list(SETTINGS),))
    found["settings"] = neutral_settings({row["name"]: row["setting"] for row in settings if row["name"] in SETTINGS})
    found["pending_restart"] = [row["name"] for row in settings if row["pending_restart"]]
    found["configured"], found["archiver"] = configured.settings(cursor), configured.archiver(cursor)
    found["senders"] = t.cast("list[observation.Sender]", database.rows(cursor, SENDERS))
    found["slots"] = t.cast("list[observation.Slot]", database.rows(cursor, SLOTS))
    receiver = t.cast("list[observation.Receiver]", database.rows(cursor, RECEIVER))
    found["receiver"] = receiver[0] if receiver else None
    segments = database.rows(cursor, WAL)[0]
    found["wal_bytes"] = segments["bytes"]
    found["oldest_wal"] = wal.begin_of(segments["oldest"], found["settings"]["wal_segment_bytes"])


def _of_catalogs(cursor: t.Any, found: observation.Server) -> None:
    """What stands in catalogs and tables, which the replay of a standby may hold locks on, and so hold this up."""

    def rows(query: str, parameters: t.Any = None) -> list[dict[str, t.Any]]:
        try:
            return database.rows(cursor, query, parameters)
        except database.Error as error:
            locked = found["standby"] and error.pgcode == LOCK_NOT_AVAILABLE
            if locked or (query == HBA_RULES and error.pgcode in FILE_ERRORS):
                return []
            raise

    found["tablespaces"] = t.cast("list[observation.Tablespace]", rows(TABLESPACES))
    found["standbys"] = [row["name"] for row in rows(STANDBYS)]
    access = rows(HBA_RULES)
    found["access_rules"] = next((row["digest"] for row in access), None)
    found["lets_clients_in"] = next((row["clients"] for row in access), None)
    found["configuration_errors"] += [str(error) for row in access for error in row["errors"]]
    found["rewind_roles"] = [row["rolname"] for row in rows(REWIND_ROLES, (REWIND_MARK,))]
    found["master_name"] = next((row["name"] for row in rows(MASTER_NAME)), None)
    found["kept_wal_mark"] = next((row["mark"] for row in rows(KEPT_WAL)), None)
    databases = rows("SELECT oid::text AS number, datname FROM pg_database WHERE datallowconn")
    found["databases"] = [row["datname"] for row in databases]
    found["database_names"] = {row["number"]: row["datname"] for row in databases}
    found["mirroring"], found["mirrors"], found["segments"] = None, [], []
    if any(row["there"] for row in rows(VIEW_EXISTS)):
        deadline = time.monotonic() + ABOUT_TO_WAIT_SECONDS
        found["mirrors"] = t.cast("list[observation.Mirror]", rows(MIRRORS))
        while time.monotonic() < deadline and _is_about_to_wait(found, rows):
            time.sleep(BETWEEN)
            found["mirrors"] = t.cast("list[observation.Mirror]", rows(MIRRORS))
        found["mirroring"] = t.cast("observation.Mirroring | None", next(iter(rows(VIEW)), None))
        found["segments"] = t.cast("list[observation.Segment]", rows(SEGMENTS))


def _is_about_to_wait(found: observation.Server, rows: t.Callable[..., list[dict[str, t.Any]]]) -> bool:
    """Whether a guard has not said yet that commits wait for a standby that is there: it looks some times a second."""
    if found["standby"] or all(row["summary_state"] == "Synchronized" for row in found["mirrors"]):
        return False
    return bool(rows(GUARD_EXISTS)[0]["there"]) and bool(rows(ABOUT_TO_WAIT)[0]["there"])


def neutral_settings(now: dict[str, str]) -> observation.Settings:
    """Return what the server's settings mean."""
    kept = int(now["max_slot_wal_keep_size"])
    harmless, archive = POSTGRESQL.standby_settings, now.get(POSTGRESQL.words.settings["wal from an archive"])
    return {
        "version_major": int(now["server_version_num"]) // 10000,
        "port": int(now["port"]),
        "listens": [word.strip() for word in now["listen_addresses"].split(",") if word.strip()],
        "access_file": now["hba_file"],
        "wal_segment_bytes": int(now["wal_segment_size"]),
        "wal_for_standby": now["wal_level"] != "minimal",
        "can_rewind": now["data_checksums"] == "on" or now["wal_log_hints"] == "on",
        "senders_limit": int(now["max_wal_senders"]),
        "slots_limit": int(now["max_replication_slots"]),
        "kept_wal_limit_bytes": None if kept < 0 else kept * MEBIBYTE,
        "synchronous_standbys": now["synchronous_standby_names"],
        "at_least": {name: int(now[name]) for name in POSTGRESQL.standby_at_least},
        "harmful": {name: value for name, value in harmless.items() if now.get(name, value) != value},
        "harmless": {name: value for name, value in harmless.items() if name in now},
        "archive": hashlib.sha256(archive.encode(errors="surrogateescape")).hexdigest() if archive else None,
        "by_restart": {name: now[name] for name in POSTGRESQL.restart_settings},
    }


def measure(instance: Instance) -> list[observation.Size] | None:
    """Return the sizes of the tablespaces in bytes, or None where so many files take longer than a session's limit."""
    try:
        with database.session(instance) as cursor:
            found = database.rows(cursor, SIZES)
    except MirroringError:
        return None
    # of a tablespace whose link leads nowhere there is no size
    known = all(row["bytes"] is not None for row in found)
    return t.cast("list[observation.Size]", found) if known else None
