# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Places beside a data directory that a rewind uses. pg_rewind removes what it does not know inside of it. Pure."""

from __future__ import annotations


def unfinished(data_directory: str) -> str:
    """Return the file that says that the directory of this inode was left half-way and must not be started (JSON)."""
    return data_directory.rstrip("/") + ".hawq-unfinished"


def lost(data_directory: str, end: str) -> str:
    """Return the directory that keeps what only this host had, up to the end of its WAL."""
    return f"{data_directory.rstrip('/')}.hawq-lost-{end.replace('/', '-')}"


def configuration(data_directory: str) -> str:
    """Return the directory that keeps the configuration files of the data directory meanwhile."""
    return f"{scratch(data_directory)}/configuration"


def scratch(data_directory: str) -> str:
    """Return the directory of a rewind's own files: password file, configuration to put back, socket."""
    return data_directory.rstrip("/") + ".hawq-rewind"
