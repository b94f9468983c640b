#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: delta
short_description: Make a stopped server's directory a verified copy of the master's, transferring only what differs
version_added: 0.3.0
description:
  - Takes a base backup of the running master into a directory that already holds most of it. The master hashes its
    files, the host its own, and only blocks that differ are transferred. Needs no WAL of before, no data checksums and
    no room for a second copy.
  - What the directory held and the master has not is gone afterwards; its configuration stays. The result is verified
    with C(pg_verifybackup), WAL included.
  - From the first change until it is verified, a mark beside the directory keeps it from being started.
  - A copy that does not work is no failure of the module; RV(copied) says so, and the next way can be tried.
extends_documentation_fragment: [hawq.mirroring.instance]
options:
  primary: {description: Connection keywords of the master for the replication role., type: dict, required: true}
  role: {description: Role on the master that may read its files and make a backup., type: str, required: true}
  slot: {description: Replication slot on the master through which the WAL comes., type: str, required: true}
  tablespace_mapping:
    description: Directories of tablespaces on the master, and where they are here if that is elsewhere.
    type: dict
    default: {}
  checkpoint:
    description: Whether the master makes the first checkpoint at once or over its usual time.
    type: str
    choices: [fast, spread]
    default: fast
  rate_limit:
    description: Bytes a second that the master may be asked to read at most, with C(k) or C(M) as for C(pg_basebackup).
    type: str
    default: ""
  timeout: {description: Seconds that it may take., type: int, default: 86400}
  watch:
    description:
      - Only show how far the comparison of another host is; for the master. The action plugin of the same name does
        that with M(hawq.mirroring.snapshot_progress).
    type: bool
    default: false
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Says that the content becomes the master's., support: full}
  idempotent: {description: Takes a new backup each time., support: none}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Copy what differs
  hawq.mirroring.delta:
    instance: "{{ server_instance }}"
    primary: {host: smdw, port: 5432, user: hawq_mirroring, passfile: /home/gpadmin/.pgpass, sslmode: prefer}
    role: hawq_mirroring_rewind
    slot: hawq_mirroring_mdw
"""

RETURN = r"""
copied:
  description: Whether the directory is a verified copy of the master's now.
  type: bool
  returned: always
reason:
  description: Why not.
  type: str
  returned: when it is not
unfinished:
  description: Whether the directory was left half-way, so that it must not be started.
  type: bool
  returned: always
compared_bytes: {description: Size of the files that were compared., type: int, returned: always}
received_bytes: {description: "What came from the master for it, in bytes, without WAL.", type: int, returned: always}
seconds: {description: How long it took., type: float, returned: always}
"""

import os
import re
import time
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    database,
    delta,
    receivewal,
    rewind,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import (
    INSTANCE_OPTION,
    instance_of,
    run_module,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, places

#: a torn read of the control file is read again
ATTEMPTS = 5
LABEL = re.compile(r"START WAL LOCATION: (\S+) .*START TIMELINE: (\d+)", re.S)
TABLESPACES = (
    "SELECT oid, pg_tablespace_location(oid) AS place FROM pg_tablespace WHERE pg_tablespace_location(oid) <> ''"
)


def rate_of(text):
    """Bytes a second, or None. pg_basebackup counts in kilobytes unless told."""
    found = re.fullmatch(r"(\d+)([kM]?)", text)
    return int(found[1]) << (20 if found[2] == "M" else 10) if found else None


class Pace:
    """Counts, keeps the rate, and gives up when the time is over."""

    def __init__(self, rate, timeout):
        self.rate, self.timeout, self.begin, self.total = rate, timeout, time.monotonic(), 0

    def __call__(self, more):
        self.total += more
        spent = time.monotonic() - self.begin
        if spent > self.timeout:
            raise MirroringError(f"not done after {self.timeout} s")
        if self.rate and self.total / self.rate > spent:
            time.sleep(self.total / self.rate - spent)


def link_tablespaces(instance, master, mapping):
    """Let each tablespace's link lead to its place here. A place that no link led to must be empty."""
    links = os.path.join(instance.data_directory, "pg_tblspc")
    for row in master.rows(TABLESPACES):
        place, link = mapping.get(row["place"], row["place"]), os.path.join(links, str(row["oid"]))
        if os.path.islink(link) and os.path.realpath(link) == os.path.realpath(place) and os.path.isdir(place):
            continue
        if os.path.lexists(link) or (os.path.isdir(place) and os.listdir(place)):
            raise MirroringError(f"{place}, where a tablespace of the master goes, is not the one of this data")
        os.makedirs(place, mode=0o700, exist_ok=True)
        rewind.own(instance, place)
        os.symlink(place, link)


def control_file(instance, run, master, copy):
    """The control file comes last, and whole."""
    for _attempt in range(ATTEMPTS):
        copy.put(delta.CONTROL, master.contents([delta.Piece(delta.CONTROL, 0, delta.PIECE)])[0])
        code, output, errors = run([instance.program("pg_controldata"), instance.data_directory])
        if code == 0 and "WARNING" not in output + errors:
            return
    raise MirroringError("the master's control file could not be read whole")


def backup(module, instance, run, master, pace, begin):
    """Between the backup's start and its stop on the master; return the files as they are to be found, and the WAL.

    ``begin`` is called before the first change.
    """
    options = module.params
    fast = options["checkpoint"] == "fast"
    master.rows("SELECT pg_backup_start('hawq.mirroring delta', %s)", (fast,), seconds=options["timeout"])
    receiver = receivewal.Receiver(instance, run, options["primary"], options["slot"])
    copy = delta.Copy(instance.data_directory)
    begin()
    link_tablespaces(instance, master, options["tablespace_mapping"])
    with database.acting_as(instance.user):
        directories, wanted = master.files()
        copy.shape(directories, wanted)
    with receiver.running(), database.acting_as(instance.user):
        copy.fill(master, wanted, pace)
    with database.acting_as(instance.user):
        control_file(instance, run, master, copy)
        row = master.rows("SELECT labelfile, lsn::text FROM pg_backup_stop(false)")[0]
        copy.put("backup_label", row["labelfile"].encode())
    receiver.finish(row["lsn"])
    label = LABEL.search(row["labelfile"])
    if label is None:
        raise MirroringError(f"the master's backup label cannot be read: {row['labelfile']!r}")
    return delta.manifest(copy.entries(), int(label[2]), label[1], row["lsn"])


def verify(instance, run, manifest, timeout):
    """The bytes on the disk against what the master said, and the WAL from beginning to end."""
    place = os.path.join(places.scratch(instance.data_directory), "backup_manifest")
    with open(place, "w", encoding="utf-8") as file:
        file.write(manifest)
    rewind.own(instance, os.path.dirname(place))
    own = [name for name in os.listdir(instance.data_directory) if delta.own(name)]
    command = [instance.program("pg_verifybackup"), "--quiet", f"--manifest-path={place}"]
    command += [f"--ignore={name}" for name in own]
    code, output, errors = run([*command, instance.data_directory], timeout=timeout, user=instance.user)
    if code != 0:
        raise MirroringError(f"it is not what the master has: {' '.join((output + errors).split())[-400:]}")


def work(module, instance, run, result):
    """Mark, make the backup, verify it, take the mark away."""
    options, data = module.params, instance.data_directory
    keywords = {**options["primary"], **rewind.READER, "user": options["role"], "dbname": "postgres"}
    keywords["application_name"] = f"{delta.APPLICATION} 0/0"
    password = conninfo.password_in(files.read(options["primary"]["passfile"]) or "", options["primary"]["user"]) or ""
    pace = Pace(rate_of(options["rate_limit"]), options["timeout"])
    rewind.stop(instance, run)
    keywords["passfile"] = rewind.write_passfile(instance, password, keywords, module)

    def begin():
        rewind.set_mark(module, data)
        result["unfinished"] = True
        files.write(module, os.path.join(data, "standby.signal"), "", instance.user)

    try:
        with database.remote(instance, keywords) as cursor:
            master = delta.Master(cursor)
            try:
                manifest = backup(module, instance, run, master, pace, begin)
            finally:
                result.update(compared_bytes=pace.total, received_bytes=master.received)
        rewind.restore_configuration(instance)
        verify(instance, run, manifest, options["timeout"])
        os.sync()
        rewind.take_mark(data)
        result.update(copied=True, unfinished=False)
    finally:
        rewind.clear(instance)


def main(module):
    """Act alone; say why it did not work instead of failing."""
    instance, run = instance_of(module.params["instance"]), Runner()
    result: dict[str, t.Any] = {"changed": True, "copied": False, "unfinished": False}
    result.update(
        compared_bytes=0, received_bytes=0, diff={"before": "what it holds\n", "after": "what its master has\n"}
    )
    if module.params["watch"]:
        return {**result, "changed": False, "seconds": 0.0}
    if module.check_mode:
        return {**result, "copied": True, "seconds": 0.0}
    return rewind.attempt(lambda: work(module, instance, run, result), result)


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "primary": {"type": "dict", "required": True},
            "role": {"type": "str", "required": True},
            "slot": {"type": "str", "required": True},
            "tablespace_mapping": {"type": "dict", "default": {}},
            "checkpoint": {"type": "str", "choices": ["fast", "spread"], "default": "fast"},
            "rate_limit": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 86400},
            "watch": {"type": "bool", "default": False},
        },
    )
