# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a data directory says of itself without a running server.

Sources: PostgreSQL manual, "pg_controldata"; for postmaster.pid the comments in PostgreSQL's ``miscadmin.h``.
"""

from __future__ import annotations

import re

from .text import lines_of

_TEXT = {
    "Database system identifier": "system_identifier",
    "Database cluster state": "state",
    "Latest checkpoint location": "checkpoint_lsn",
    "Latest checkpoint's REDO location": "redo_lsn",
    "Minimum recovery ending location": "min_recovery_lsn",
    "wal_level setting": "wal_level",
    "wal_log_hints setting": "wal_log_hints",
}
_NUMBERS = {
    "Catalog version number": "catalog_version",
    "Latest checkpoint's TimeLineID": "timeline",
    "Min recovery ending loc's timeline": "min_recovery_timeline",
    "Bytes per WAL segment": "wal_segment_bytes",
    "Data page checksum version": "checksum_version",
    "max_connections setting": "max_connections",
    "max_worker_processes setting": "max_worker_processes",
    "max_wal_senders setting": "max_wal_senders",
    "max_prepared_xacts setting": "max_prepared_transactions",
    "max_locks_per_xact setting": "max_locks_per_transaction",
}


def parse(output: str) -> dict[str, str | int]:
    """Return the known fields of pg_controldata's output (run with LC_ALL=C); LSNs as text, counts as numbers."""
    found: dict[str, str | int] = {}
    for line in output.splitlines():
        label, separator, value = line.partition(":")
        value = value.strip()
        if separator and label in _TEXT:
            found[_TEXT[label]] = value
        elif separator and label in _NUMBERS:
            found[_NUMBERS[label]] = int(value)
    return found


def parse_postmaster_pid(text: str) -> dict[str, str | int]:
    """Return what postmaster.pid tells of its server: pid, start time (epoch seconds), port and socket directory."""
    lines = [line.strip() for line in lines_of(text)] + [""] * 8
    found: dict[str, str | int] = {"data_directory": lines[1], "socket_directory": lines[4], "status": lines[7]}
    for key, value in (("pid", lines[0]), ("started", lines[2]), ("port", lines[3])):
        if re.fullmatch(r"-?[0-9]+", value):
            found[key] = abs(int(value))
    return found
