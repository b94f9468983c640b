# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Places beside a data directory that a rewind uses, since pg_rewind removes what it does not know inside of it; and
places outside, each of which belongs to one cluster, by the name of its server's unit on this host. Pure.
"""

from __future__ import annotations

import re


def unfinished(data_directory: str) -> str:
    """Return the file that says that the directory of this inode was left half-way and must not be started (JSON)."""
    return data_directory.rstrip("/") + ".hawq-unfinished"


def lost(data_directory: str, end: str) -> str:
    """Return the directory that keeps what only this host had, up to the end of its WAL."""
    return f"{data_directory.rstrip('/')}.hawq-lost-{end.replace('/', '-')}"


def is_kept(path: str, data_directory: str) -> bool:
    """Whether a path is old data, or what only this host had, which waits beside a data directory for its deletion."""
    rest = path[len(data_directory.rstrip("/")) :] if path.startswith(data_directory.rstrip("/")) else ""
    return bool(re.fullmatch(r"\.(hawq-lost-[0-9A-F]+-[0-9A-F]+|kept-\d{8}T\d{6})", rest))


def configuration(data_directory: str) -> str:
    """Return the directory that keeps the configuration files of the data directory meanwhile."""
    return f"{scratch(data_directory)}/configuration"


def scratch(data_directory: str) -> str:
    """Return the directory of a rewind's own files: password file, configuration to put back, socket."""
    return data_directory.rstrip("/") + ".hawq-rewind"


def staging(data_directory: str) -> str:
    """Return the directory in which a snapshot is made."""
    return data_directory.rstrip("/") + ".hawq-snapshot"


def request(data_directory: str) -> str:
    """Return the file that says what a snapshot was made for (JSON)."""
    return f"{staging(data_directory)}/request.json"


#: in the data directory of a former master or standby: since when and why it must not accept writes (JSON)
RECORD = "hawq_mirroring.fence"


#: the server's unit, unless an inventory says otherwise; the same in roles/server/defaults
UNIT = "hawq-master.service"


def cluster(unit: str) -> str:
    """Return the name of a cluster on its host: no two clusters of one host are run by the same unit of systemd."""
    return unit.removesuffix(".service")


def snapshot_unit(unit: str) -> str:
    """Return the transient unit of the snapshot job."""
    return f"hawq-mirroring-snapshot-{cluster(unit)}.service"


def snapshot_log(unit: str) -> str:
    """Return where the job's programs print to: another file system than the copy's, which may have filled its own."""
    return f"/run/hawq-mirroring-snapshot-{cluster(unit)}.log"


def permission(unit: str) -> str:
    """Return the file that lets the interlock start a server once although nobody can be asked.

    An operator's is empty and stays until it is used, a run's holds its identity and is good for two minutes.
    """
    return f"/run/hawq-mirroring-{cluster(unit)}.start"


def removed(unit: str) -> str:
    """Return the file that says that the data directory that it names was deleted on purpose (JSON).

    It is outside of what may only not be mounted.
    """
    return f"/var/lib/hawq-mirroring/{cluster(unit)}.removed.json"


def witness_record(unit: str) -> str:
    """Return the record of a witness of that cluster; the same in roles/witness/vars."""
    return f"/var/lib/hawq-mirroring-witness-{cluster(unit)}/record.json"


def guard_settings(unit: str) -> str:
    """Return what root has told the guard of that cluster; the same in roles/guard/vars."""
    return f"/etc/hawq-mirroring/{cluster(unit)}/guard.json"


#: what the programs of guards and witnesses judge by, on their hosts; the same in roles/guard/vars
LIBRARY = "/usr/local/lib/hawq-mirroring"


def witness_unit(unit: str) -> str:
    """Return the unit that runs the witness of that cluster; the same in roles/witness/vars."""
    return f"hawq-mirroring-witness-{cluster(unit)}.service"


def guard_unit(unit: str) -> str:
    """Return the unit that runs the guard of that cluster; the same in roles/guard/vars."""
    return f"hawq-mirroring-guard-{cluster(unit)}.service"


#: in the data directory of a master: what the witnesses have told the failover that has activated it (JSON); the same
#: in the guard's program
INHERITED = "hawq_mirroring.inherited"
