# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Places beside a data directory that a rewind uses. pg_rewind removes what it does not know inside of it. Pure."""

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


#: what the programs of the snapshot print: on another file system than the copy, which may have filled its own
SNAPSHOT_LOG = "/run/hawq-mirroring-snapshot.log"


#: lets the interlock start a server once although nobody can be asked: an operator's is empty and stays until it is
#: used, a run's holds its identity and is good for two minutes
PERMISSION = "/run/hawq-mirroring.start"


#: says that the data directory that it names was deleted on purpose (JSON); outside of what may only not be mounted
REMOVED = "/var/lib/hawq-mirroring/removed.json"
