# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The dead master's side of a salvage: where its WAL ends, and the files that a standby lacks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import typing as t
import zlib

from ....host import files
from ....host.errors import MirroringError
from ....host.module import Instance
from ....host.run import Runner
from ....values import lsn, places, wal
from .. import observe, stopping, wal_files

CHUNK = 1 << 20


def staging(instance: Instance) -> str:
    """Return where fetched WAL files wait: a name that no server takes for a data directory."""
    return instance.data_directory.rstrip("/") + ".hawq-salvage"


def digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    summed = hashlib.sha256()
    with files.opened(path) as file:
        while chunk := file.read(CHUNK):
            summed.update(chunk)
    return summed.hexdigest()


def offer(
    instance: Instance, run: Runner, standing: wal_files.Standing, accept_loss: bool, timeout: int
) -> dict[str, t.Any]:
    """Find where the WAL of a dead server ends, and the files that a standby lacks.

    What is damaged or missing before a position that the WAL is known to have reached is a loss, and raised as one
    unless it is accepted; then what comes before the damage is offered.
    """
    if stopping.workers(instance.data_directory):
        raise MirroringError(f"a server still runs in {instance.data_directory}: fence it first")
    control = observe.control(instance, run)
    if control is None:
        raise MirroringError(
            f"{instance.data_directory} has no control file that can be read: its WAL cannot be salvaged. To activate"
            " all the same, run again with -e accept_data_loss=true"
        )
    directory, size, told = wal_files.directory(instance), int(control["wal_segment_bytes"]), ""
    last, end, broken = wal_files.end_of_wal(instance, run, standing, size, timeout)
    checkpoint = str(control["checkpoint_lsn"])
    # the checkpoint that the control file names begins there, and so the WAL goes on beyond it
    if not broken and lsn.parse(end) <= lsn.parse(checkpoint):
        broken = f"its last checkpoint is at {checkpoint}"
    if not broken and standing.known and lsn.parse(end) < lsn.parse(standing.known):
        broken = f"it is known to have reached {standing.known}"
        told = f". {standing.known_from}" if standing.known_from else ""
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
            f"not all of what the standby lacks can be salvaged from {directory}: {damage}{told}. If the file system or"
            " a segment can be brought back, do that and run again. To activate with what can be read, run again with"
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


def offered(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    after: str,
    have: str,
    timeline: int,
    known: str | None,
    known_from: str,
    accept_loss: bool,
    timeout: int,
) -> dict[str, t.Any]:
    """Say what there is, or why it cannot be had and what else can be done."""
    answer = {"changed": False, "staging": staging(instance)}
    if not act and stopping.workers(instance.data_directory):
        return answer  # what is not fenced yet offers nothing yet
    standing = wal_files.Standing(after, have, timeline, known, known_from)
    try:
        return {**answer, "offer": offer(instance, run, standing, accept_loss, timeout)}
    except MirroringError as error:
        raise MirroringError(f"{error}{'' if accept_loss else way_back(instance)}") from error


def given(instance: Instance, *, name: str, offset: int) -> dict[str, t.Any]:
    """Return a piece of a WAL file, for a standby's host that cannot fetch it itself."""
    if not wal.is_name(name):
        raise MirroringError(f"{name!r} is no WAL file")
    with files.opened(os.path.join(wal_files.directory(instance), name)) as file:
        file.seek(offset)
        packed = zlib.compress(file.read(wal.PIECE_BYTES), 1)
    return {"changed": False, "staging": staging(instance), "content": base64.b64encode(packed).decode()}


def unpacked(content: str) -> bytes:
    """Return a piece as it was; what unpacks to more than one is none."""
    unpacker = zlib.decompressobj()
    try:
        piece = unpacker.decompress(base64.b64decode(content, validate=True), wal.PIECE_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise MirroringError(f"a piece of WAL has come over damaged: {error}") from error
    if not unpacker.eof:
        raise MirroringError("a piece of WAL has come over damaged: it is too long or not whole")
    return piece
