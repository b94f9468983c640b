# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WAL of a dead master for its standby: what there is, bringing it over, letting it be replayed.

Sources: PostgreSQL manual, "pg_waldump", "Standby Server Operation" (a standby replays what it finds in pg_wal).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import time
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils import (
    _database,
    _fence,
    _lsn,
    _observe,
    _snapshot_job,
    _wal,
)
from ansible_collections.hawq.mirroring.plugins.module_utils._common import Instance, MirroringError, Runner

CHUNK = 1 << 20
STOP_SECONDS = 20


def staging(instance: Instance) -> str:
    """Return where fetched segments wait: a name that no server takes for a data directory."""
    return instance.data_directory.rstrip("/") + ".hawq-salvage"


def wal_directory(instance: Instance) -> str:
    """Return the directory of the segments."""
    return os.path.join(instance.data_directory, "pg_wal")


def digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    summed = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            summed.update(chunk)
    return summed.hexdigest()


def offer(instance: Instance, run: Runner, after: str, have: str, timeline: int, timeout: int) -> dict[str, t.Any]:
    """Find where the WAL of a dead server ends, and the segments that a standby lacks.

    ``after`` is the end of the standby's last replayed record, ``have`` the end of what it holds.
    """
    if _fence.workers(instance.data_directory):
        raise MirroringError(f"a server still runs in {instance.data_directory}: fence it first")
    control = _observe.control(instance, run)
    directory = wal_directory(instance)
    found: dict[str, t.Any] = {"directory": directory, "files": [], "missing_bytes": 0, "end_lsn": have}
    if control is None:
        raise MirroringError(
            f"{instance.data_directory} has no control file that can be read: its WAL cannot be salvaged"
        )
    dump = [
        instance.program("pg_waldump"),
        "--quiet",
        f"--path={directory}",
        f"--timeline={timeline}",
        f"--start={after}",
    ]
    code, _output, errors = run(dump, timeout=timeout)
    if code == 124:
        raise MirroringError(f"reading the WAL in {directory} took more than {timeout} s")
    end = _wal.end_of(errors)
    if end is None and "could not find a valid record after" not in errors:
        raise MirroringError(
            f"the WAL after {after} cannot be read in {directory} ({' '.join(errors.split())}): what the standby lacks"
            " of it cannot be salvaged. To activate all the same, run again with -e accept_data_loss=true"
        )
    if end is None:
        return {**found, "last_record_lsn": None}
    start, last = end
    found.update(last_record_lsn=start, end_lsn=last, missing_bytes=max(0, _lsn.distance(last, have) or 0))
    if found["missing_bytes"] == 0:
        return found
    size = int(control["wal_segment_bytes"])
    there, missing = _wal.segments(os.listdir(directory), timeline, after, last, size)
    if missing:
        raise MirroringError(f"{directory} lacks {', '.join(missing)}, so the WAL up to {last} cannot be salvaged")
    for name in there:
        path = os.path.join(directory, name)
        found["files"].append({"name": name, "size": os.path.getsize(path), "sha256": digest(path)})
    return found


def _is_whole(path: str, entry: dict[str, t.Any]) -> bool:
    try:
        return os.path.getsize(path) == int(entry["size"]) and digest(path) == entry["sha256"]
    except OSError:
        return False


def prepare(instance: Instance) -> str:
    """Make the staging place, the server's user's alone."""
    owner, place = pwd.getpwnam(instance.user), staging(instance)
    os.makedirs(place, mode=0o700, exist_ok=True)
    os.chown(place, owner.pw_uid, owner.pw_gid)
    return place


def fetch(instance: Instance, run: Runner, wanted: dict[str, t.Any], address: str, port: int, timeout: int) -> bool:
    """Get the segments by SFTP as the server's user, over the keys that the masters exchanged."""
    place = prepare(instance)
    left = [entry for entry in wanted["files"] if not _is_whole(os.path.join(place, entry["name"]), entry)]
    if not left:
        return False
    batch = os.path.join(place, "batch")
    with open(batch, "w", encoding="utf-8") as file:
        file.writelines(f'get "{wanted["directory"]}/{entry["name"]}" "{place}/{entry["name"]}"\n' for entry in left)
    os.chmod(batch, 0o644)
    options = [
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=5",
        "-o",
        "ServerAliveInterval=5",
        "-o",
        "ServerAliveCountMax=3",
    ]
    host = f"[{address}]" if ":" in address else address
    command = ["sftp", *options, "-q", "-P", str(port), "-b", batch, f"{instance.user}@{host}"]
    code, output, errors = run(command, timeout=timeout, user=instance.user)
    os.unlink(batch)
    broken = [entry["name"] for entry in left if not _is_whole(os.path.join(place, entry["name"]), entry)]
    if code != 0 or broken:
        words = " ".join((errors or output).split()) or f"{', '.join(broken)} did not arrive whole"
        raise MirroringError(f"the WAL of the old master could not be fetched from {address} by SSH: {words}")
    return True


def _same_beginning(own: str, other: str, length: int) -> bool:
    with open(own, "rb") as mine, open(other, "rb") as its:
        return mine.read(length) == its.read(length)


def install(instance: Instance, run: Runner, wanted: dict[str, t.Any], have: str, timeout: int) -> str:
    """Put the segments into the stopped standby's pg_wal, start it, wait until it has replayed the last record."""
    place, directory = staging(instance), wal_directory(instance)
    for entry in wanted["files"]:
        if not _is_whole(os.path.join(place, entry["name"]), entry):
            raise MirroringError(f"{place}/{entry['name']} is not what the old master offered: run this again")
    if not os.path.exists(os.path.join(instance.data_directory, "standby.signal")):
        raise MirroringError(f"{instance.data_directory} is no standby any more: look at both hosts with state.yml")
    process = _observe.process(instance, _database.postmaster(instance))
    if not _fence.stop(run, instance.service, instance.data_directory, process["pid"], process["frozen"], STOP_SECONDS):
        raise MirroringError(f"the standby's server ({instance.service}) does not stop, not even killed")
    size = int((_observe.control(instance, run) or {}).get("wal_segment_bytes") or 0)
    for entry in wanted["files"]:
        _put(instance, os.path.join(place, entry["name"]), os.path.join(directory, entry["name"]), have, size)
    _snapshot_job.sync_directory(directory)
    run(["systemctl", "reset-failed", instance.service], timeout=10)
    code, _output, errors = run(["systemctl", "start", instance.service], timeout=120)
    if code != 0:
        raise MirroringError(f"the standby does not start with the salvaged WAL: {' '.join(errors.split())}")
    reached = _replayed(instance, wanted["last_record_lsn"], timeout)
    shutil.rmtree(place)
    return reached


def _put(instance: Instance, source: str, target: str, have: str, segment_bytes: int) -> None:
    """Replace a segment that the standby holds in part; both must begin alike, or it is another history."""
    name = os.path.basename(target)
    held = _lsn.parse(have)
    holding = _wal.segment_name(int(name[:8], 16), held, segment_bytes)
    if os.path.exists(target) and name <= holding:
        length = held % segment_bytes if name == holding else segment_bytes
        if not _same_beginning(target, source, length):
            raise MirroringError(
                f"{name} begins differently on the old master: the standby's WAL is not a part of its WAL. Look at both"
                " hosts; to activate without it, run again with -e accept_data_loss=true"
            )
    owner, temporary = pwd.getpwnam(instance.user), f"{target}.hawq"
    shutil.copyfile(source, temporary)
    os.chown(temporary, owner.pw_uid, owner.pw_gid)
    os.chmod(temporary, 0o600)
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, target)


def _replayed(instance: Instance, last_record: str, timeout: int) -> str:
    """Wait until the record that begins at that LSN is replayed; the time-out runs while nothing moves."""
    reached, deadline = "0/0", time.monotonic() + timeout
    while True:
        with contextlib.suppress(MirroringError), _database.session(instance) as cursor:
            now = _database.rows(cursor, "SELECT pg_last_wal_replay_lsn()::text AS lsn")[0]["lsn"] or "0/0"
            if _lsn.parse(now) > _lsn.parse(last_record):
                return now
            if now != reached:
                reached, deadline = now, time.monotonic() + timeout
        if time.monotonic() > deadline:
            raise MirroringError(
                f"the standby stands at {reached} and does not replay the salvaged WAL up to {last_record}: look at its"
                f" log (journalctl -u {instance.service})"
            )
        time.sleep(0.05)
