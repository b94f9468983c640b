# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looking at one host without changing anything: machine, programs, directories, processes, units, network.

Nothing here needs a running server, and nothing here fails on a sick one: what cannot be read is None or empty.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import typing as t

from ...host import files
from ...host.module import Instance, Runner
from ...judge import timelines
from ...values import conninfo, control_data, lsn, places, settings_file, wal
from ..table import POSTGRESQL
from . import server, staging
from .database import HAS_PSYCOPG2

CONFIGURATION_FILES = ("pg_hba.conf", "pg_ident.conf", "postgresql.conf", "postgresql.auto.conf")


def user(instance: Instance) -> dict[str, t.Any]:
    """The operating system user that owns the server."""
    try:
        entry = pwd.getpwnam(instance.user)
    except KeyError:
        return {"name": instance.user, "exists": False, "home": None}
    return {"name": instance.user, "exists": True, "home": entry.pw_dir}


def blocks(instance: Instance, hba_file: str | None) -> dict[str, t.Any]:
    """Our lines in files that others write, too: the user's limits and login profile, the server's pg_hba.conf."""
    limits = f"/etc/security/limits.d/hawq-{instance.user}.conf"
    profile = os.path.join(user(instance)["home"] or "/nonexistent", ".bash_profile")
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


def ssh(instance: Instance) -> dict[str, t.Any]:
    """Public SSH keys: this host's, its server user's, and those that the user lets in or expects of other hosts."""
    try:
        place = os.path.join(pwd.getpwnam(instance.user).pw_dir, ".ssh")
    except KeyError:
        return {"public_key": None, "authorized": [], "known": [], "host_keys": []}

    def keys(path: str) -> list[str]:
        words = [line.split() for line in (files.text_of(path) or "").splitlines() if line and not line.startswith("#")]
        return [line[index + 1] for line in words for index, word in enumerate(line[:-1]) if word.startswith("ssh-")]

    own = keys(os.path.join(place, "id_ed25519.pub"))
    return {
        "public_key": own[0] if own else None,
        "authorized": keys(os.path.join(place, "authorized_keys")),
        "known": keys(os.path.join(place, "known_hosts")),
        "host_keys": keys("/etc/ssh/ssh_host_ed25519_key.pub"),
    }


def _parent_on_disk(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


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
    found["fenced"] = server.RECORD in names
    found["fence_reason"] = server.record(path).get("reason")
    found["unfinished"] = unfinished(path)
    found["slots"] = _names(os.path.join(path, "pg_replslot"))
    found["linked_files"] = [name for name in CONFIGURATION_FILES if os.path.islink(os.path.join(path, name))]
    beside = os.path.dirname(path.rstrip("/"))
    found["kept"] = [f"{beside}/{name}" for name in _names(beside) if places.is_kept(f"{beside}/{name}", path)]
    found["removed"] = server.record(path).get("was") == server.STANDBY
    wal_place = os.path.join(path, "pg_wal")
    found["wal_link"] = os.path.realpath(wal_place) if os.path.islink(wal_place) else None
    usage = shutil.disk_usage(_parent_on_disk(path))
    wal_usage = shutil.disk_usage(_parent_on_disk(wal_place))
    found.update(free_bytes=usage.free, used_bytes=usage.used, total_bytes=usage.total, wal_free_bytes=wal_usage.free)
    found["parent_exists"] = os.path.isdir(os.path.dirname(path))
    found["device"] = os.stat(_parent_on_disk(os.path.dirname(path))).st_dev
    found["reclaimable_bytes"] = _size_of(path) if sizes and names and not found["wal_link"] else 0
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


def _names(path: str) -> list[str]:
    """Return the names in a directory; none when it cannot be read."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def histories(instance: Instance) -> dict[str, list[list[t.Any]]]:
    """Return the history files of the timelines: timeline and end (LSN) of each ancestor, by the timeline's number."""
    place = os.path.join(instance.data_directory, "pg_wal")
    names = [name for name in _names(place) if re.fullmatch(r"[0-9A-F]{8}\.history", name)]
    return {
        str(int(name[:8], 16)): timelines.ancestors(files.text_of(os.path.join(place, name)) or "") for name in names
    }


def has_segment(instance: Instance, timeline: int, end: str, size: int) -> bool:
    """Whether there is a segment of that timeline with the last byte before an LSN."""
    name = wal.segment_name(timeline, max(0, lsn.parse(end) - 1), size)
    return os.path.exists(os.path.join(instance.data_directory, "pg_wal", name))


def _size_of(path: str) -> int:
    """Bytes on disk below a directory; files that vanish meanwhile do not count."""
    total = 0
    for parent, _directories, names in os.walk(path):
        with contextlib.suppress(OSError):
            total += sum(os.lstat(os.path.join(parent, name)).st_blocks * 512 for name in names)
    return total


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


def unit(run: Runner, name: str) -> dict[str, t.Any]:
    """A systemd unit: loaded, active, enabled, its text, and whether systemd knows an older one."""
    wanted = ("LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath", "NeedDaemonReload")
    _code, output, _errors = run(["systemctl", "show", name, "--property", ",".join(wanted)], timeout=10)
    shown = dict(line.partition("=")[::2] for line in output.splitlines())
    return {
        "unit": name,
        "load": shown.get("LoadState", ""),
        "active": shown.get("ActiveState", ""),
        "sub": shown.get("SubState", ""),
        "enabled": shown.get("UnitFileState", ""),
        "stale": shown.get("NeedDaemonReload") == "yes",
        "text": files.text_of(shown["FragmentPath"]) if shown.get("FragmentPath") else None,
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
        "reclaimable_bytes": _size_of(staged.place),
        "verified": os.path.exists(staged.verified),
        "request": request,
    }


def tablespace_directory(path: str) -> dict[str, t.Any]:
    """A directory that a tablespace of the master would need here."""
    entries = sorted(os.listdir(path)) if os.path.isdir(path) else []
    usage = shutil.disk_usage(_parent_on_disk(path))
    return {
        "path": path,
        "entries": entries[:5],
        "free_bytes": usage.free,
        "device": os.stat(_parent_on_disk(path)).st_dev,
    }


def witness() -> dict[str, t.Any] | None:
    """What a segment remembers of the master that it last reached."""
    try:
        found: dict[str, t.Any] | None = json.loads(files.text_of("/var/lib/hawq-mirroring/segment.json") or "null")
    except ValueError:
        return None
    return found
