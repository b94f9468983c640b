# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looking at one host without changing anything: machine, programs, directories, processes, units, network.

Nothing here needs a running server, and nothing here fails on a sick one: what cannot be read is None or empty.
"""

from __future__ import annotations

import json
import os
import re
import typing as t

from ...host import account, closed, fence_record, files, mounts, quota, removed_mark, unchangeable
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, control_data, history, lsn, observation, places, settings_file, wal
from ..table import POSTGRESQL
from . import backends, configured, locating, spaces, staging, start_files, wal_files
from .database import HAS_PSYCOPG2, other_python

#: how a setting is turned off (PostgreSQL manual, "Parameter Names and Values")
OFF = ("off", "of", "false", "fals", "fal", "fa", "f", "no", "n", "0")
#: as many names of a data directory are looked at
MOST_NAMES, MOST_FILES = 100, 2000
#: directories that a server makes files in, and files that it reads at each start or writes at each checkpoint
WRITTEN = (
    *("postgresql.auto.conf", "global", "global/pg_control", "pg_wal", "pg_wal/archive_status", "pg_xact"),
    *("pg_subtrans", "pg_commit_ts"),
    *("pg_multixact", "pg_multixact/members", "pg_multixact/offsets", "pg_logical", "pg_logical/snapshots"),
    *("pg_replslot", "pg_stat", "pg_stat_tmp", "pg_notify", "pg_serial", "pg_twophase", "pg_tblspc", "base"),
)
#: those of them whose files are few and written anew, or which hold the directories of databases
LOOKED_INTO = ("base", "global", "pg_xact", "pg_multixact/members", "pg_multixact/offsets", "pg_replslot", "pg_wal")
CONFIGURATION_FILES = ("pg_hba.conf", "pg_ident.conf", "postgresql.conf", "postgresql.auto.conf")
#: what the control file says of how the server ended, and whether it was a master then
ENDINGS: dict[str, tuple[t.Literal["clean", "crashed", "recovering", "unknown"], bool | None]] = {
    "shut down": ("clean", True),
    "shut down in recovery": ("clean", False),
    "shutting down": ("crashed", True),
    "in production": ("crashed", True),
    "in archive recovery": ("crashed", False),
    "in crash recovery": ("recovering", None),
}


def blocks(instance: Instance, hba_file: str | None) -> observation.Blocks:
    """Our lines in files that others write, too: the user's limits and login profile, the server's pg_hba.conf."""
    limits = f"/etc/security/limits.d/hawq-{instance.user}.conf"
    profile = os.path.join(account.user(instance)["home"] or "/nonexistent", ".bash_profile")
    path = os.path.realpath(hba_file or os.path.join(instance.config_directory, "pg_hba.conf"))
    hba = files.text_of(path)
    return {
        "limits": files.block(files.public(limits)),
        "profile": files.block(files.text_of(profile)),
        "access": files.block(hba),
        "segments": files.block(hba, "hawq.mirroring segments"),
        "unchangeable": unchangeable.first([path, os.path.dirname(path)]),
    }


def binaries(instance: Instance, run: Runner, at: locating.Located) -> observation.Binaries:
    """The engine's programs: which are missing, and the version of the server."""
    missing = [name for name in POSTGRESQL.programs if not os.access(instance.program(name), os.X_OK)]
    version = None
    if "postgres" not in missing:
        code, output, _errors = run([instance.program("postgres"), "--version"], timeout=10)
        words = output.split()
        version = words[2] if code == 0 and len(words) > 2 else None
    digits = (version or "").split(".")[0]
    return {
        "directory": instance.bin_directory,
        "missing": missing,
        "version": version,
        "major": int(digits) if digits.isdigit() else None,
        "client_library": HAS_PSYCOPG2,
        "other_python": other_python(),
        "named": at.named,
        "wanted": at.wanted,
        "places": at.places,
        "installed": at.installed,
        "offered": at.offered,
    }


def control(instance: Instance, run: Runner) -> dict[str, t.Any] | None:
    """The control file's fields, or None when it cannot be read."""
    if not os.path.exists(os.path.join(instance.data_directory, "global", "pg_control")):
        return None
    if not os.access(instance.program("pg_controldata"), os.X_OK):
        return None
    code, output, _errors = run([instance.program("pg_controldata"), instance.data_directory], timeout=10)
    return control_data.parse(output) if code == 0 else None


def neutral_control(raw: dict[str, t.Any] | None, major: str | None = None) -> observation.Control | None:
    """Return what the control file's fields mean; None of one that cannot be read."""
    if raw is None:
        return None
    ended, as_master = ENDINGS.get(raw.get("state", ""), ("unknown", None))
    return {
        "system_identifier": raw.get("system_identifier"),
        "ended": ended,
        "as_master": as_master,
        "timeline": raw.get("timeline", 0),
        "checkpoint_lsn": raw.get("checkpoint_lsn"),
        "redo_lsn": raw.get("redo_lsn"),
        "min_recovery_lsn": raw.get("min_recovery_lsn"),
        "min_recovery_timeline": raw.get("min_recovery_timeline"),
        "can_rewind": bool(raw.get("checksum_version")) or raw.get("wal_log_hints") == "on",
        "wal_segment_bytes": raw.get("wal_segment_bytes"),
        "at_least": {name: raw[name] for name in POSTGRESQL.standby_at_least if name in raw},
        "tablespace_version": spaces.version(raw, major) if major else None,
    }


def _to_change(path: str, names: list[str]) -> list[str]:
    """Return what a server or a copy changes, what only a copy does last: the first that it cannot is told."""
    there = [name for name in names[:MOST_NAMES] if name not in CONFIGURATION_FILES[:3]]
    last = [name for name in CONFIGURATION_FILES[:3] if name in names]
    return [path, *(os.path.join(path, name) for name in [*there, *last]), os.path.dirname(path.rstrip("/"))]


def _to_write(path: str) -> list[str]:
    """Return what a server makes files in, or writes anew, at the latest when it is promoted or started."""
    inside = [f"{place}/{name}" for place in LOOKED_INTO for name in account._names(os.path.join(path, place))]
    own = [name for name in inside if os.path.basename(name)[0].isalnum() and not name.endswith("/lost+found")]
    return [path, *(os.path.join(path, name) for name in [*WRITTEN, *own[:MOST_FILES]])]


def _is_user(instance: Instance) -> bool:
    """Whether this process is the server's user; nobody looks where that does not exist yet."""
    return account.name_of(os.geteuid()) == instance.user


def data_directory(instance: Instance, sizes: bool) -> observation.DataDirectory:
    """The data directory: missing, empty, data (a server's) or other (somebody's files), with the room around it."""
    path = instance.data_directory
    names = account._names(path)
    record, state = fence_record.record(path), _directory_state(path, names)
    beside, wal_place = os.path.dirname(path.rstrip("/")), os.path.join(path, "pg_wal")
    wal_link = os.path.realpath(wal_place) if os.path.islink(wal_place) else None
    usage = quota.room(account._parent_on_disk(path))
    return {
        "path": path,
        "real_path": os.path.realpath(path),
        "mount_point": os.path.ismount(path),
        "mounted_inside": mounts.below(path),
        "clusters_inside": clusters_inside(path),
        "unmounted": mounts.unmounted(path),
        "read_only": mounts.read_only(account._parent_on_disk(path), account._parent_on_disk(wal_place)),
        "unchangeable": unchangeable.first(_to_change(path, names)),
        "closed": closed.first(_to_write(path)) if state == "data" and _is_user(instance) else None,
        "link": os.path.islink(path),
        "state": state,
        "entries": names[:5],
        "owner": _owner(path),
        "marked_standby": POSTGRESQL.words.standby_marker in names,
        "marked_recovery": "recovery.signal" in names,
        "unstarted_copy": "backup_label" in names,
        "fenced": places.RECORD in names,
        "fence_reason": str(record["reason"]) if record.get("reason") else None,
        "removed": record.get("was") == fence_record.STANDBY,
        "fence_run": str(record["run"]) if record.get("run") else None,
        "fence_timeline": fence_record.timeline(record),
        "removed_on_purpose": state in ("missing", "empty") and removed_mark.is_set(path, instance.service),
        "unfinished": unfinished(path),
        "slots": account._names(os.path.join(path, "pg_replslot")),
        "linked_files": [name for name in CONFIGURATION_FILES if os.path.islink(os.path.join(path, name))],
        "kept": [f"{beside}/{name}" for name in account._names(beside) if places.is_kept(f"{beside}/{name}", path)],
        "wal_link": wal_link,
        "free_bytes": usage.free,
        "used_bytes": usage.used,
        "total_bytes": usage.total,
        "quota": usage.by_quota,
        "wal_free_bytes": quota.room(account._parent_on_disk(wal_place)).free,
        "wal_free_files": closed.free_files(account._parent_on_disk(wal_place)),
        "parent_exists": os.path.isdir(os.path.dirname(path)),
        "no_room": spaces.no_room(places.staging(path)),
        "device": os.stat(account._parent_on_disk(os.path.dirname(path))).st_dev,
        "reclaimable_bytes": account._size_of(path) if sizes and names and not wal_link else 0,
    }


def _directory_state(path: str, names: list[str]) -> t.Literal["missing", "empty", "data", "other"]:
    above = account._parent_on_disk(path)
    if not os.access(above, os.R_OK | os.X_OK if above == path else os.X_OK):
        return "other"  # the server's user cannot look into it
    if not os.path.isdir(path):
        return "other" if os.path.lexists(path) else "missing"
    if not names:
        return "empty"
    return "data" if "PG_VERSION" in names else "other"


def _owner(path: str) -> str | None:
    try:
        return account.name_of(os.stat(path).st_uid)
    except OSError:
        return None


def clusters_inside(path: str) -> list[str]:
    """Return the data directories of others that somebody has put into this one."""
    found = (os.path.join(path, name) for name in account._names(path))
    return [each for each in found if os.path.exists(os.path.join(each, "PG_VERSION"))]


def unfinished(path: str) -> bool:
    """Whether this very directory was left half-way; one that has taken its place was not."""
    mark = places.unfinished(path)
    if not os.path.lexists(mark) or not os.path.isdir(path):
        return False
    try:
        return bool(json.loads(files.text_of(mark) or "")["inode"] == os.stat(path).st_ino)
    except (ValueError, KeyError, TypeError):
        return True  # a mark that cannot be read, which the interlock takes for one, too


def histories(instance: Instance) -> dict[str, list[list[t.Any]]]:
    """Return the history files of the timelines: timeline and end (LSN) of each ancestor, by the timeline's number."""
    place = os.path.join(instance.data_directory, "pg_wal")
    names = [name for name in account._names(place) if re.fullmatch(r"[0-9A-F]{8}\.history", name)]
    return {str(int(name[:8], 16)): history.ancestors(files.text_of(os.path.join(place, name)) or "") for name in names}


def has_segment(instance: Instance, timeline: int, end: str, size: int) -> bool:
    """Whether there is a segment of that timeline with the last byte before an LSN."""
    name = wal.segment_name(timeline, max(0, lsn.parse(end) - 1), size)
    return os.path.exists(os.path.join(instance.data_directory, "pg_wal", name))


def wal_age(instance: Instance, control: observation.Control | None) -> float | None:
    """Return the seconds since WAL was last written here, as far as its files tell."""
    return wal_files.age(instance, control["wal_segment_bytes"] if control else None)


def settings_on_disk(instance: Instance) -> tuple[dict[str, str], str]:
    """How the directory is told to replicate: the connection in postgresql.auto.conf without secrets, and the slot."""
    settings = settings_file.parse(files.text_of(os.path.join(instance.data_directory, "postgresql.auto.conf")) or "")
    try:
        told = conninfo.parse(settings.get("primary_conninfo", ""))
    except ValueError:
        told = {}
    return conninfo.without_secrets(told), settings.get("primary_slot_name", "")


def follows(told: dict[str, str]) -> observation.Follows:
    """Return the server that a connection leads to."""
    port = told.get("port", "")
    return {
        "host": told.get("host"),
        "port": int(port) if port.isdecimal() else None,
        "user": told.get("user"),
        "database": told.get("dbname"),
    }


def configuration(instance: Instance, run: Runner, session: bool) -> observation.Configuration:
    """The configuration directory, and what it asks of a server where no session tells what that has."""
    path = instance.config_directory
    outside = os.path.realpath(path) != os.path.realpath(instance.data_directory)
    exists = os.path.exists(os.path.join(path, "postgresql.conf"))
    found: observation.Configuration = {
        "path": path,
        "outside": outside,
        "exists": exists,
        "no_room": spaces.no_room(path) if outside else None,
        "at_least": {},
        "asks_for": {},
        "harmful": {},
    }
    if exists and not session:
        told = told_by_files(instance)
        found["asks_for"] = {
            name: configured.shown(name, told[name]) for name in POSTGRESQL.differing.watched if told.get(name)
        }
        # off takes all sessions away; of the others a session tells, or the server does not start
        if told.get("hot_standby", "on").lower() in OFF:
            found["harmful"] = {"hot_standby": POSTGRESQL.standby_settings["hot_standby"]}
    if exists and not session and os.access(instance.program("postgres"), os.X_OK):
        for name in POSTGRESQL.standby_at_least:
            code, output, _errors = run([instance.program("postgres"), "-C", name, "-D", path], timeout=10)
            if code == 0:
                found["at_least"][name] = output.strip().splitlines()[-1]
    return found


def told_by_files(instance: Instance) -> dict[str, str]:
    """Return the settings in the files, in the order in which they are read."""
    told: dict[str, str] = {}
    for each in start_files.texts(instance.data_directory, instance.config_directory):
        told.update(settings_file.parse(each))
    return told


def process(instance: Instance, pidfile: dict[str, t.Any]) -> observation.Process:
    """The server process. A pid counts only if it works in this data directory: pids are reused."""
    pid = pidfile.get("pid")
    try:
        running = os.path.realpath(f"/proc/{pid}/cwd") == os.path.realpath(instance.data_directory)
    except OSError:
        running = False
    state = ""
    if running:
        for line in (files.text_of(f"/proc/{pid}/status") or "").splitlines():
            if line.startswith("State:"):
                state = line.split()[1]
    return {
        "running": running,
        "pid": pid if running else None,
        "frozen": state in ("T", "t"),
        "stopped": {str(number): said for number, said in backends.stopped(int(pid or 0)).items()} if running else {},
        "pidfile": t.cast(
            observation.PidFile,
            {key: pidfile[key] for key in observation.PidFile.__annotations__ if pidfile.get(key)},
        ),
    }


def snapshot(instance: Instance, run: Runner) -> observation.Snapshot:
    """The snapshot job and its staging place."""
    staged = staging.Staging(instance.data_directory)
    try:
        request = dict(json.loads(files.text_of(staged.request) or "{}"))
    except (ValueError, TypeError):
        request = {}
    job = staging.job(instance, run)
    return {
        "phase": job["phase"],
        "result": job["result"],
        "staging": staged.place,
        "exists": os.path.isdir(staged.place),
        "copied": os.path.isdir(staged.copy),
        "reclaimable_bytes": account._size_of(staged.place),
        "verified": os.path.exists(staged.verified),
        "request": request,
    }
