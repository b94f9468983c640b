# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looking at one host without changing anything: machine, programs, directories, processes, units, network.

Nothing here needs a running server, and nothing here fails on a sick one: what cannot be read is None or empty.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import typing as t

from ...host import account, fence_record, files
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, control_data, history, lsn, places, settings_file, wal
from ..table import POSTGRESQL
from . import staging
from .database import HAS_PSYCOPG2

CONFIGURATION_FILES = ("pg_hba.conf", "pg_ident.conf", "postgresql.conf", "postgresql.auto.conf")


def blocks(instance: Instance, hba_file: str | None) -> dict[str, t.Any]:
    """Our lines in files that others write, too: the user's limits and login profile, the server's pg_hba.conf."""
    limits = f"/etc/security/limits.d/hawq-{instance.user}.conf"
    profile = os.path.join(account.user(instance)["home"] or "/nonexistent", ".bash_profile")
    hba = files.text_of(hba_file or os.path.join(instance.config_directory, "pg_hba.conf"))
    return {
        "limits": files.block(files.public(limits)),
        "profile": files.block(files.text_of(profile)),
        "hba": files.block(hba),
        "segments": files.block(hba, "hawq.mirroring segments"),
    }


def binaries(instance: Instance, run: Runner) -> dict[str, t.Any]:
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
        "psycopg2": HAS_PSYCOPG2,
    }


def control(instance: Instance, run: Runner) -> dict[str, t.Any] | None:
    """The control file's fields, or None when it cannot be read."""
    if not os.path.exists(os.path.join(instance.data_directory, "global", "pg_control")):
        return None
    if not os.access(instance.program("pg_controldata"), os.X_OK):
        return None
    code, output, _errors = run([instance.program("pg_controldata"), instance.data_directory], timeout=10)
    return control_data.parse(output) if code == 0 else None


def data_directory(instance: Instance, sizes: bool) -> dict[str, t.Any]:
    """The data directory: missing, empty, data (a server's) or other (somebody's files), with the room around it."""
    path = instance.data_directory
    found: dict[str, t.Any] = {
        "path": path,
        "real_path": os.path.realpath(path),
        "mount_point": os.path.ismount(path),
        "link": os.path.islink(path),
    }
    names = sorted(os.listdir(path)) if os.path.isdir(path) else None
    if names is None:
        found["state"] = "other" if os.path.lexists(path) else "missing"
    elif not names:
        found["state"] = "empty"
    else:
        found["state"] = "data" if "PG_VERSION" in names else "other"
    names = names or []
    found["entries"] = names[:5]
    found["signals"] = [name for name in ("standby.signal", "recovery.signal", "backup_label") if name in names]
    found["fenced"] = places.RECORD in names
    found["fence_reason"] = fence_record.record(path).get("reason")
    found["unfinished"] = unfinished(path)
    found["slots"] = account._names(os.path.join(path, "pg_replslot"))
    found["linked_files"] = [name for name in CONFIGURATION_FILES if os.path.islink(os.path.join(path, name))]
    beside = os.path.dirname(path.rstrip("/"))
    found["kept"] = [f"{beside}/{name}" for name in account._names(beside) if places.is_kept(f"{beside}/{name}", path)]
    found["removed"] = fence_record.record(path).get("was") == fence_record.STANDBY
    wal_place = os.path.join(path, "pg_wal")
    found["wal_link"] = os.path.realpath(wal_place) if os.path.islink(wal_place) else None
    usage = shutil.disk_usage(account._parent_on_disk(path))
    wal_usage = shutil.disk_usage(account._parent_on_disk(wal_place))
    found.update(free_bytes=usage.free, used_bytes=usage.used, total_bytes=usage.total, wal_free_bytes=wal_usage.free)
    found["parent_exists"] = os.path.isdir(os.path.dirname(path))
    found["device"] = os.stat(account._parent_on_disk(os.path.dirname(path))).st_dev
    found["reclaimable_bytes"] = account._size_of(path) if sizes and names and not found["wal_link"] else 0
    return found


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


def settings_on_disk(instance: Instance) -> dict[str, t.Any]:
    """How the directory is told to replicate: postgresql.auto.conf's words, without secrets."""
    settings = settings_file.parse(files.text_of(os.path.join(instance.data_directory, "postgresql.auto.conf")) or "")
    try:
        told = conninfo.parse(settings.get("primary_conninfo", ""))
    except ValueError:
        told = {}
    return {
        "primary_conninfo": conninfo.without_secrets(told),
        "primary_slot_name": settings.get("primary_slot_name", ""),
    }


def configuration(instance: Instance, run: Runner) -> dict[str, t.Any]:
    """The configuration directory when it lies outside the data directory, and what it asks of a server."""
    path = instance.config_directory
    outside = os.path.realpath(path) != os.path.realpath(instance.data_directory)
    found: dict[str, t.Any] = {"path": path, "outside": outside, "settings": {}}
    found["exists"] = os.path.exists(os.path.join(path, "postgresql.conf"))
    if outside and found["exists"] and os.access(instance.program("postgres"), os.X_OK):
        for name in POSTGRESQL.standby_at_least:
            code, output, _errors = run(
                [instance.program("postgres"), "-C", name, "-D", path], timeout=10, user=instance.user
            )
            if code == 0:
                found["settings"][name] = output.strip().splitlines()[-1]
    return found


def process(instance: Instance, pidfile: dict[str, t.Any]) -> dict[str, t.Any]:
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
        "pidfile": {key: pidfile[key] for key in ("pid", "started", "data_directory", "port") if key in pidfile},
    }


def snapshot(instance: Instance, run: Runner) -> dict[str, t.Any]:
    """The snapshot job and its staging place."""
    staged = staging.Staging(instance.data_directory)
    try:
        request = json.loads(files.text_of(staged.request) or "{}")
    except ValueError:
        request = {}
    return {
        **staging.job(run),
        "staging": staged.place,
        "exists": os.path.isdir(staged.place),
        "copied": os.path.isdir(staged.copy),
        "reclaimable_bytes": account._size_of(staged.place),
        "verified": os.path.exists(staged.verified),
        "request": request,
    }
