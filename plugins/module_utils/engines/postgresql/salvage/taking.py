# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The standby's side of a salvage: fetching the WAL files of its dead master, and replaying them.

Source: PostgreSQL manual, "Standby Server Operation" (a standby replays what it finds in pg_wal).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import typing as t

from ....host import files, programs, user_places
from ....host.errors import MirroringError
from ....host.module import Instance
from ....host.run import Runner
from ....values import lsn, wal
from .. import database, observe, recovering, settings, stopping, wal_files
from . import offering

STOP_SECONDS = 20
#: WAL files that one connection brings
AT_ONCE = 100
SSH_OPTIONS = [
    "-T",
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=5"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
]


def _checked(offer: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what another host offers, after a look at it: its names become names of files here."""
    for entry in offer["files"]:
        if not wal.is_name(str(entry["name"])) or not 0 < int(entry["size"]) <= wal.MOST_BYTES:
            raise MirroringError(f"the old master's host offers {entry['name']!r}, which is no WAL file: look there")
    return offer


def _is_whole(path: str, entry: dict[str, t.Any]) -> bool:
    try:
        return os.path.getsize(path) == int(entry["size"]) and offering.digest(path) == entry["sha256"]
    except OSError:
        return False


def prepare(instance: Instance) -> str:
    """Make the staging place, the server's user's alone."""
    place = offering.staging(instance)
    user_places.make(place)
    return place


def need_room(place: str, wanted: dict[str, t.Any]) -> None:
    """Raise when the WAL files do not fit: before anything is stopped for them."""
    needed, free = sum(int(entry["size"]) for entry in wanted["files"]), shutil.disk_usage(place).free
    if free < needed + wal_files.SPARE_BYTES:
        raise MirroringError(
            f"{place} has {free >> 20} MB free for {needed >> 20} MB of salvaged WAL: make room there, then run again"
        )


def fetch(
    instance: Instance, run: Runner, wanted: dict[str, t.Any], address: str, port: int, unit: str, timeout: int
) -> bool:
    """Get the WAL files as the server's user, over the keys that the masters exchanged, which are good for that."""
    place = prepare(instance)
    need_room(place, wanted)
    left = [entry for entry in wanted["files"] if not _is_whole(os.path.join(place, entry["name"]), entry)]
    deadline = time.monotonic() + timeout
    for first in range(0, len(left), AT_ONCE):
        some = left[first : first + AT_ONCE]

        def take(stream: t.IO[bytes], some: list[dict[str, t.Any]] = some) -> None:
            for entry in some:
                _receive(stream, os.path.join(place, entry["name"]), int(entry["size"]))

        request = [programs.peer_command(unit), "wal", *(entry["name"] for entry in some)]
        command = ["ssh", *SSH_OPTIONS, "-p", str(port), "-l", instance.user, "--", address, " ".join(request)]
        code, errors = run.reading(command, take, max(1, deadline - time.monotonic()))
        broken = [entry["name"] for entry in some if not _is_whole(os.path.join(place, entry["name"]), entry)]
        if code != 0 or broken:
            words = " ".join(errors.split()) or f"{', '.join(broken)} did not arrive whole"
            raise MirroringError(f"the WAL of the old master could not be fetched from {address} by SSH: {words}")
    return bool(left)


def _receive(stream: t.IO[bytes], path: str, size: int) -> None:
    """Write so many bytes of a stream into a file of its own, fewer when it ends before."""
    with files.created(path) as file:
        while size and (piece := stream.read(min(size, offering.CHUNK))):
            file.write(piece)
            size -= len(piece)


def _same_beginning(own: str, other: str, length: int) -> bool:
    with files.opened(own) as mine, files.opened(other) as its:
        return mine.read(length) == its.read(length)


def install(
    instance: Instance, run: Runner, wanted: dict[str, t.Any], have: str, accept_loss: bool, timeout: int
) -> str | None:
    """Put the WAL files into the stopped standby's pg_wal, start it, wait until it has replayed the last record.

    Return how far it has replayed; None where nothing was put there, since what the old master has is no continuation
    of what the standby has, and the operator has accepted the loss.
    """
    place, directory = offering.staging(instance), wal_files.directory(instance)
    for entry in wanted["files"]:
        if not _is_whole(os.path.join(place, entry["name"]), entry):
            raise MirroringError(f"{place}/{entry['name']} is not what the old master offered: run this again")
    if not os.path.exists(os.path.join(instance.data_directory, "standby.signal")):
        raise MirroringError(f"{instance.data_directory} is no standby any more: look at both hosts with state.yml")
    need_room(directory, wanted)
    size = int((observe.control(instance, run) or {}).get("wal_segment_bytes") or 0)
    other = [
        name for name in (entry["name"] for entry in wanted["files"]) if not _continues(instance, name, have, size)
    ]
    if other and accept_loss:
        user_places.remove(place)
        return None
    if other:
        raise MirroringError(
            f"{other[0]} begins differently on the old master: the standby's WAL is not a part of its WAL. Look at both"
            " hosts; to activate without it, run again with -e accept_data_loss=true"
        )
    process = observe.process(instance, database.postmaster(instance))
    if not stopping.stop(
        run, instance.service, instance.data_directory, process["pid"], process["frozen"], STOP_SECONDS
    ):
        raise MirroringError(f"the standby's server ({instance.service}) does not stop, not even killed")
    try:
        for entry in wanted["files"]:
            _put(os.path.join(place, entry["name"]), os.path.join(directory, entry["name"]))
        files.sync_directory(directory)
    except (OSError, MirroringError):
        run.root(["systemctl", "start", instance.service], timeout=120)  # a standby that was stopped for nothing
        raise
    run.root(["systemctl", "reset-failed", instance.service], timeout=10)
    code, _output, errors = run.root(["systemctl", "start", instance.service], timeout=120)
    if code != 0:
        raise MirroringError(f"the standby does not start with the salvaged WAL: {' '.join(errors.split())}")
    reached = _replayed(instance, run, wanted["last_record_lsn"], timeout)
    user_places.remove(place)
    return reached


def _continues(instance: Instance, name: str, have: str, segment_bytes: int) -> bool:
    """Whether a WAL file of the old master begins with what the standby has of it: else it is another history."""
    source, target = (
        os.path.join(place, name) for place in (offering.staging(instance), wal_files.directory(instance))
    )
    held = lsn.parse(have)
    holding = wal.segment_name(int(name[:8], 16), held, segment_bytes)
    if not os.path.exists(target) or name > holding:
        return True
    return _same_beginning(target, source, held % segment_bytes if name == holding else segment_bytes)


def _put(source: str, target: str) -> None:
    """Replace a WAL file that the standby holds in part, or not at all."""
    temporary = f"{target}.hawq"
    try:
        with files.opened(source) as given, files.created(temporary) as file:
            shutil.copyfileobj(given, file, offering.CHUNK)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError:
        os.unlink(temporary)
        raise


def _replayed(instance: Instance, run: Runner, last_record: str, timeout: int) -> str:
    """Wait until the record that begins at that LSN is replayed; the time-out runs while nothing moves.

    One that gives no session is not asked: a promotion replays all that is in pg_wal, and the report compares.
    """
    reached, deadline = "0/0", time.monotonic() + timeout
    watch, asked = recovering.Watch(instance, run), time.monotonic()
    while True:
        with contextlib.suppress(MirroringError), database.session(instance) as cursor:
            if database.rows(cursor, "SHOW recovery_min_apply_delay")[0]["recovery_min_apply_delay"] != "0":
                settings.write(cursor, instance, {"recovery_min_apply_delay": "0"})
            now = database.rows(cursor, "SELECT pg_last_wal_replay_lsn()::text AS lsn")[0]["lsn"] or "0/0"
            if lsn.parse(now) > lsn.parse(last_record):
                return now
            if now != reached:
                reached, deadline = now, time.monotonic() + timeout
            asked = time.monotonic()
        if time.monotonic() - asked > recovering.STANDS_SECONDS and watch.recovers():
            return str((observe.control(instance, run) or {}).get("min_recovery_lsn") or reached)
        if time.monotonic() > deadline:
            raise MirroringError(
                f"the standby stands at {reached} and does not replay the salvaged WAL up to {last_record}: look at its"
                f" log (journalctl -u {instance.service})"
            )
        time.sleep(0.05)


def taken(
    instance: Instance, act: bool, *, offer: dict[str, t.Any], name: str, offset: int, content: str
) -> dict[str, t.Any]:
    """Write a piece of an offered file; the last one makes it whole, which its digest must prove."""
    place, answer = offering.staging(instance), _answer(instance, offer)
    entry = next((entry for entry in offer["files"] if entry["name"] == name), None)
    if entry is None:
        raise MirroringError(f"{name} was not offered")
    path, size = os.path.join(place, name), int(entry["size"])
    if not act or _is_whole(path, entry):
        return {**answer, "changed": not act}
    piece = offering.unpacked(content)
    if not 0 <= offset <= size - len(piece):
        raise MirroringError(f"{name} is longer on the old master's host than it has said: run this again")
    if offset == 0:
        prepare(instance)
        need_room(place, offer)
        files.created(path).close()
    with files.changed(path) as file:
        file.seek(offset)
        file.write(piece)
    if offset + len(piece) == size and not _is_whole(path, entry):
        raise MirroringError(f"{place}/{name} is not what the old master's host has offered: run this again")
    return answer


def _answer(instance: Instance, offer: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what every call says."""
    names = "".join(f"pg_wal/{entry['name']}\n" for entry in _checked(offer)["files"])
    return {"changed": True, "staging": offering.staging(instance), "diff": {"before": "", "after": names}}


def fetched(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    offer: dict[str, t.Any],
    address: str,
    port: int,
    unit: str,
    timeout: int,
) -> dict[str, t.Any]:
    """Get the files over from the other host."""
    answer = _answer(instance, offer)
    return {**answer, "changed": fetch(instance, run, offer, address, port, unit, timeout)} if act else answer


def installed(
    instance: Instance, run: Runner, act: bool, *, offer: dict[str, t.Any], have: str, accept_loss: bool, timeout: int
) -> dict[str, t.Any]:
    """Let the standby replay the files."""
    answer = _answer(instance, offer)
    if not act:
        return answer
    reached = install(instance, run, offer, have, accept_loss, timeout)
    return {**answer, "replay_lsn": reached, "changed": reached is not None}
