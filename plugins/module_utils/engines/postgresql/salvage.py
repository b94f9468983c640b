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
import struct
import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import lsn, places, wal
from . import database, observe, server, snapshot

CHUNK = 1 << 20
STOP_SECONDS = 20
#: room that a standby needs beside what it is given
SPARE_BYTES = 32 << 20


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


class Standing(t.NamedTuple):
    """How far a standby is, and how far its master was known to be."""

    #: end of the last record that it has replayed
    after: str
    #: end of what it holds
    have: str
    timeline: int
    #: what the master was known to have written: by segments, and by the standby's own receiver
    known: str | None


def offer(instance: Instance, run: Runner, standing: Standing, accept_loss: bool, timeout: int) -> dict[str, t.Any]:
    """Find where the WAL of a dead server ends, and the segments that a standby lacks.

    What is damaged or missing before a position that the WAL is known to have reached is a loss, and raised as one
    unless it is accepted; then what comes before the damage is offered.
    """
    if server.workers(instance.data_directory):
        raise MirroringError(f"a server still runs in {instance.data_directory}: fence it first")
    control = observe.control(instance, run)
    if control is None:
        raise MirroringError(
            f"{instance.data_directory} has no control file that can be read: its WAL cannot be salvaged. To activate"
            " all the same, run again with -e accept_data_loss=true"
        )
    directory, size = wal_directory(instance), int(control["wal_segment_bytes"])
    last, end, broken = end_of_wal(instance, run, standing, size, timeout)
    checkpoint = str(control["checkpoint_lsn"])
    # the checkpoint that the control file names begins there, and so the WAL goes on beyond it
    if not broken and lsn.parse(end) <= lsn.parse(checkpoint):
        broken = f"its last checkpoint is at {checkpoint}"
    if not broken and standing.known and lsn.parse(end) < lsn.parse(standing.known):
        broken = f"it is known to have reached {standing.known}"
    timeline = max([int(control["timeline"]), *map(int, observe.histories(instance))])
    if not broken and timeline != standing.timeline:
        broken = f"it is on timeline {timeline}, and the standby replays timeline {standing.timeline}"
    damage = f"its WAL can be read up to {end} only ({broken})" if broken else None
    found: dict[str, t.Any] = {
        "directory": directory,
        "files": [],
        "end_lsn": end,
        "last_record_lsn": last,
        "damage": damage,
    }
    if damage and not accept_loss:
        raise MirroringError(
            f"not all of what the standby lacks can be salvaged from {directory}: {damage}. If the file system or a"
            " segment can be brought back, do that and run again. To activate with what can be read, run again with"
            " -e accept_data_loss=true"
        )
    found["missing_bytes"] = max(0, lsn.distance(end, standing.have) or 0)
    if last is None or found["missing_bytes"] == 0:
        return {**found, "missing_bytes": 0}
    there, _missing = wal.segments(os.listdir(directory), standing.timeline, standing.after, last, size)
    for name in there:
        path = os.path.join(directory, name)
        found["files"].append({"name": name, "size": os.path.getsize(path), "sha256": digest(path)})
    return found


def way_back(instance: Instance) -> str:
    """Say how a server that is fenced already becomes the master again: nothing else can tell the operator."""
    mark = os.path.join(instance.data_directory, places.RECORD)
    if not os.path.exists(mark):
        return ""
    signal = os.path.join(instance.data_directory, "standby.signal")
    return (
        ". Nothing was activated; this server is stopped and kept from starting as a master. To go back to it instead:"
        f" rm {signal} {mark} && systemctl start {instance.service}"
    )


def written(directory: str, name: str, size: int) -> bool:
    """Whether a segment was written to under this name.

    Segments are made ready under later names, empty or with the pages of an older one. That in which a timeline begins
    has the pages of the timeline before at its beginning (``xlog_internal.h``).
    """
    with open(os.path.join(directory, name), "rb") as file:
        _magic, _info, timeline, address = struct.unpack("=HHIQ", file.read(16).ljust(16, b"\0"))
    return 0 < timeline <= int(name[:8], 16) and lsn.render(address) == wal.begin_of(name[8:], size)


def dump(instance: Instance, timeline: int, start: str, end: str | None, size: int) -> list[str] | None:
    """Return pg_waldump's command for the WAL from one LSN to another (or all), or None when there is none.

    The first segment is named, since pg_waldump takes the size of segments from any it finds, an empty one, too.
    """
    directory = wal_directory(instance)
    first = wal.segment_name(timeline, lsn.parse(start), size)
    there = [name for name in os.listdir(directory) if wal.is_segment(name, timeline) and name >= first]
    if first not in there or not written(directory, first, size):
        return None
    last = max(there)
    if end is not None:
        wanted = wal.segment_name(timeline, lsn.parse(end) - 1, size)
        end, last = (end, wanted) if wanted in there else (None, max(name for name in there if name <= wanted))
    command = [instance.program("pg_waldump"), f"--path={directory}", f"--start={start}"]
    return [*command, *([f"--end={end}"] if end is not None else []), first, last]


def end_of_wal(
    instance: Instance, run: Runner, standing: Standing, size: int, timeout: int
) -> tuple[str | None, str, str | None]:
    """Return the start of the last whole record after the standby's, where the WAL ends, and what is broken there."""
    directory, after = wal_directory(instance), lsn.parse(standing.after)
    command = dump(instance, standing.timeline, standing.after, None, size)
    if command is None:
        # a server that has switched to a new segment may die before that one is there, or is written to
        name = wal.segment_name(standing.timeline, after, size)
        inside = f"{name} is missing or damaged" if after % size else None
        return None, standing.after, _goes_on(directory, standing, size) or inside
    code, _output, errors = run([*command[:1], "--quiet", *command[1:]], timeout=timeout)
    if code == 124:
        raise MirroringError(f"reading the WAL in {directory} took more than {timeout} s")
    if code == 0:
        return *_last_of(instance, run, command[-1], standing, size, timeout), None
    missing = wal.missing_segment(errors, size)
    if missing:
        name, begin = missing
        before = wal.segment_name(standing.timeline, lsn.parse(begin) - 1, size)
        start, end = _last_of(instance, run, before, standing, size, timeout)
        return start, end, f"{name} is missing, and a later one is there"
    found = wal.end_of(errors)
    if found is None:
        unreadable = "could not find a valid record after" not in errors
        return None, standing.after, " ".join(errors.split()) if unreadable else _goes_on(directory, standing, size)
    start, last = found
    # where it is not said, the record ends somewhere after its start: enough to know that it is there
    last = last or lsn.render(lsn.parse(start) + 1)
    return start, last, _goes_on(directory, standing._replace(after=last), size)


def _last_of(
    instance: Instance, run: Runner, segment: str, standing: Standing, size: int, timeout: int
) -> tuple[str, str]:
    """Return start and end of the last record in a segment that can be read to its end.

    What begins after that would have gone on in a segment that is not there.
    """
    begin = max(wal.begin_of(segment[8:], size), standing.after, key=lsn.parse)
    whole = wal.begin_of(segment[8:], size, 1)
    command = dump(instance, standing.timeline, begin, whole, size)
    _code, output, _errors = run(command, timeout=timeout) if command else (0, "", "")
    return wal.last_record(output, size) or (lsn.render(lsn.parse(whole) - 1), whole)


def _goes_on(directory: str, standing: Standing, size: int) -> str | None:
    """Say which later segment was written to after the end: what lies between cannot be read."""
    name = wal.segment_name(standing.timeline, lsn.parse(standing.after), size)
    later = [each for each in wal.later(os.listdir(directory), name) if written(directory, each, size)]
    return f"{later[0]} was written to after that" if later else None


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


def need_room(place: str, wanted: dict[str, t.Any]) -> None:
    """Raise when the segments do not fit: before anything is stopped for them."""
    needed, free = sum(int(entry["size"]) for entry in wanted["files"]), shutil.disk_usage(place).free
    if free < needed + SPARE_BYTES:
        raise MirroringError(
            f"{place} has {free >> 20} MB free for {needed >> 20} MB of salvaged WAL: make room there, then run again"
        )


def fetch(instance: Instance, run: Runner, wanted: dict[str, t.Any], address: str, port: int, timeout: int) -> bool:
    """Get the segments by SFTP as the server's user, over the keys that the masters exchanged."""
    place = prepare(instance)
    need_room(place, wanted)
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
    need_room(directory, wanted)
    process = observe.process(instance, database.postmaster(instance))
    if not server.stop(run, instance.service, instance.data_directory, process["pid"], process["frozen"], STOP_SECONDS):
        raise MirroringError(f"the standby's server ({instance.service}) does not stop, not even killed")
    size = int((observe.control(instance, run) or {}).get("wal_segment_bytes") or 0)
    try:
        for entry in wanted["files"]:
            _put(instance, os.path.join(place, entry["name"]), os.path.join(directory, entry["name"]), have, size)
        snapshot.sync_directory(directory)
    except (OSError, MirroringError):
        run(["systemctl", "start", instance.service], timeout=120)  # a standby that was stopped for nothing
        raise
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
    held = lsn.parse(have)
    holding = wal.segment_name(int(name[:8], 16), held, segment_bytes)
    if os.path.exists(target) and name <= holding:
        length = held % segment_bytes if name == holding else segment_bytes
        if not _same_beginning(target, source, length):
            raise MirroringError(
                f"{name} begins differently on the old master: the standby's WAL is not a part of its WAL. Look at both"
                " hosts; to activate without it, run again with -e accept_data_loss=true"
            )
    owner, temporary = pwd.getpwnam(instance.user), f"{target}.hawq"
    try:
        with (
            open(source, "rb") as given,
            open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
        ):
            os.fchown(file.fileno(), owner.pw_uid, owner.pw_gid)
            shutil.copyfileobj(given, file, CHUNK)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError:
        os.unlink(temporary)
        raise


def _replayed(instance: Instance, last_record: str, timeout: int) -> str:
    """Wait until the record that begins at that LSN is replayed; the time-out runs while nothing moves."""
    reached, deadline = "0/0", time.monotonic() + timeout
    while True:
        with contextlib.suppress(MirroringError), database.session(instance) as cursor:
            if database.rows(cursor, "SHOW recovery_min_apply_delay")[0]["recovery_min_apply_delay"] != "0":
                cursor.execute("ALTER SYSTEM SET recovery_min_apply_delay = 0")
                cursor.execute("SELECT pg_reload_conf()")
            now = database.rows(cursor, "SELECT pg_last_wal_replay_lsn()::text AS lsn")[0]["lsn"] or "0/0"
            if lsn.parse(now) > lsn.parse(last_record):
                return now
            if now != reached:
                reached, deadline = now, time.monotonic() + timeout
        if time.monotonic() > deadline:
            raise MirroringError(
                f"the standby stands at {reached} and does not replay the salvaged WAL up to {last_record}: look at its"
                f" log (journalctl -u {instance.service})"
            )
        time.sleep(0.05)
