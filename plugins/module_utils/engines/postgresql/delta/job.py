# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking a base backup of the running master into a stopped server's directory, and verifying it.

Sources: PostgreSQL manual, "Making a Base Backup Using the Low Level API", "pg_verifybackup".
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ....host import files, user_places
from ....host.errors import MirroringError
from ....host.module import Instance
from ....host.run import Runner
from ....values import conninfo, places, text
from .. import database, in_place, own_files, receivewal, spaces
from . import comparison
from .copying import Copy
from .master import Master

#: a torn read of the control file is read again
ATTEMPTS = 5
LABEL = re.compile(r"START WAL LOCATION: (\S+) .*START TIMELINE: (\d+)", re.S)
TABLESPACES = (
    "SELECT oid, pg_tablespace_location(oid) AS place FROM pg_tablespace WHERE pg_tablespace_location(oid) <> ''"
)


def rate_of(text: str) -> int | None:
    """Return bytes a second, or None for no limit. pg_basebackup counts in kilobytes unless told."""
    found = re.fullmatch(r"(\d+)([kM]?)", text)
    return int(found[1]) << (20 if found[2] == "M" else 10) if found else None


class Pace:
    """Counts, keeps the rate, and gives up when the time is over."""

    def __init__(self, rate: int | None, timeout: int) -> None:
        self.rate, self.timeout, self.begin, self.total = rate, timeout, time.monotonic(), 0

    def __call__(self, more: int) -> None:
        self.total += more
        spent = time.monotonic() - self.begin
        if spent > self.timeout:
            raise MirroringError(f"not done after {self.timeout} s")
        if self.rate and self.total / self.rate > spent:
            time.sleep(self.total / self.rate - spent)


def link_tablespaces(instance: Instance, master: Master, mapping: dict[str, str]) -> None:
    """Let each tablespace's link lead to its place here. A place that no link led to must be empty."""
    links = os.path.join(instance.data_directory, "pg_tblspc")
    for row in master.rows(TABLESPACES):
        place, link = mapping.get(row["place"], row["place"]), os.path.join(links, str(row["oid"]))
        if os.path.islink(link) and os.path.realpath(link) == os.path.realpath(place) and os.path.isdir(place):
            continue
        if os.path.lexists(link) or (os.path.isdir(place) and os.listdir(place)):
            raise MirroringError(f"{place}, where a tablespace of the master goes, is not the one of this data")
        user_places.make(place)
        os.symlink(place, link)


def copy_control_file(instance: Instance, run: Runner, master: Master, copy: Copy) -> None:
    """Copy the control file, which comes last, and whole."""
    for _attempt in range(ATTEMPTS):
        whole = comparison.Piece(comparison.CONTROL, 0, comparison.PIECE)
        copy.put(comparison.CONTROL, master.contents([whole])[0] or b"")
        code, output, errors = run([instance.program("pg_controldata"), instance.data_directory])
        if code == 0 and "WARNING" not in output + errors:
            return
    raise MirroringError("the master's control file could not be read whole")


class Wanted(t.NamedTuple):
    """What is to be copied and how."""

    primary: dict[str, t.Any]
    slot: str
    tablespace_mapping: dict[str, str]
    #: whether the master's first checkpoint comes at once
    fast: bool
    #: seconds
    timeout: int


def backup(
    instance: Instance, run: Runner, master: Master, wanted: Wanted, pace: Pace, begin: t.Callable[[], None]
) -> str:
    """Copy between the backup's start and its stop on the master; return the manifest of it.

    ``begin`` is called before the first change.
    """
    master.rows("SELECT pg_backup_start('hawq.mirroring delta', %s)", (wanted.fast,), seconds=wanted.timeout)
    receiver = receivewal.Receiver(instance, run, wanted.primary, wanted.slot)
    copy = Copy(instance.data_directory)
    begin()
    link_tablespaces(instance, master, wanted.tablespace_mapping)
    directories, found = master.files()
    copy.shape(directories, found)
    with receiver.running():
        copy.fill(master, found, pace)
    copy_control_file(instance, run, master, copy)
    row = master.rows("SELECT labelfile, lsn::text FROM pg_backup_stop(false)")[0]
    copy.put("backup_label", row["labelfile"].encode(errors="surrogateescape"))
    receiver.finish(row["lsn"])
    label = LABEL.search(row["labelfile"])
    if label is None:
        raise MirroringError(f"the master's backup label cannot be read: {row['labelfile']!r}")
    return comparison.manifest(copy.entries(), int(label[2]), label[1], row["lsn"])


def of_others(data_directory: str, manifest: str) -> list[str]:
    """Return what other clusters have in the places of tablespaces: the directory of a version is the same in all."""
    ours = set(re.findall(r"pg_tblspc/\d+/(PG_[^/\"]+)/", manifest))
    links = {name: os.path.join(data_directory, "pg_tblspc", name) for name in spaces.links(data_directory)}
    found = [f"pg_tblspc/{name}/{each}" for name, path in links.items() for each in sorted(os.listdir(path))]
    return [each for each in found if ours and os.path.basename(each) not in ours]


def verify(instance: Instance, run: Runner, manifest: str, timeout: int) -> None:
    """Hold the bytes on the disk against what the master said, and the WAL from beginning to end."""
    place = os.path.join(places.scratch(instance.data_directory), "backup_manifest")
    files.write(place, manifest, act=True)
    own = [name for name in os.listdir(instance.data_directory) if comparison.own(name)]
    own += own_files.named(instance.data_directory, instance.config_directory).values()
    own += of_others(instance.data_directory, manifest)
    command = [instance.program("pg_verifybackup"), "--quiet", f"--manifest-path={place}"]
    command += [f"--ignore={name}" for name in own]
    code, output, errors = run([*command, instance.data_directory], timeout=timeout)
    if code != 0:
        raise MirroringError(f"it is not what the master has: {' '.join((output + errors).split())[-400:]}")


def delta(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    primary: dict[str, t.Any],
    role: str,
    slot: str,
    tablespace_mapping: dict[str, str],
    checkpoint: str,
    rate_limit: str,
    timeout: int,
) -> dict[str, t.Any]:
    """Mark, make the backup, verify it, take the mark away."""
    result: dict[str, t.Any] = {"changed": True, "copied": False, "unfinished": False}
    result.update(compared_bytes=0, received_bytes=0)
    result["diff"] = {"before": "what it holds\n", "after": "what its master has\n"}
    if not act:
        return {**result, "copied": True, "seconds": 0.0}
    data = instance.data_directory

    def begin() -> None:
        in_place.save_configuration(instance)
        in_place.set_mark(data)
        result["unfinished"] = True
        own_files.let_write(data)
        files.write(os.path.join(data, "standby.signal"), "", act=True)

    def work() -> None:
        where = primary.get("dbname") or database.DATABASES[0]
        keywords = {**primary, "user": role, "dbname": where}
        keywords["application_name"] = f"{comparison.APPLICATION} 0/0"
        password = conninfo.password_in(files.read(primary["passfile"]) or "", primary["user"]) or ""
        pace = Pace(rate_of(rate_limit), timeout)
        in_place.stop(instance, run)
        keywords["passfile"] = in_place.write_passfile(instance, password, keywords)
        mapping = {text.raw(old): text.raw(new) for old, new in tablespace_mapping.items()}
        wanted = Wanted(
            {name: value for name, value in primary.items() if name != "dbname"},
            slot,
            mapping,
            checkpoint == "fast",
            timeout,
        )
        try:
            with database.remote(keywords, in_place.READER) as cursor:
                master = Master(cursor)
                try:
                    manifest = backup(instance, run, master, wanted, pace, begin)
                finally:
                    result.update(compared_bytes=pace.total, received_bytes=master.received)
            in_place.restore_configuration(instance)
            verify(instance, run, manifest, timeout)
            os.sync()
            in_place.take_mark(data)
            result.update(copied=True, unfinished=False)
        finally:
            in_place.clear(instance)

    return in_place.attempt(work, result)
