# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The slots in the data of a server that gives no session: after a crash only their files tell who loses what.

Source: ``slot.c`` and ``slot.h`` of PostgreSQL 15 to 18 (ReplicationSlotOnDisk).
"""

from __future__ import annotations

import os
import struct

from ...host import account, files
from ...host.module import Instance
from ...values import lsn, observation

#: magic, checksum, version, length; name, database, persistency, xmin, catalog_xmin, restart_lsn, what has ended it,
#: confirmed_flush, two_phase_at, two_phase, plugin; since PostgreSQL 17 synced and failover
LAYOUT, LATER = struct.Struct("=4I64s4IQQQQ?64s"), struct.Struct("=??")
MAGIC, MOST_BYTES, MOST_SLOTS = 0x1051CA1, 4096, 1000
LASTING = 0


def read(instance: Instance) -> list[observation.Slot]:
    """Return what the files say that can be read."""
    place = os.path.join(instance.data_directory, "pg_replslot")
    found = (_file(os.path.join(place, name, "state")) for name in account._names(place)[:MOST_SLOTS])
    return [slot for slot in map(parse, found) if slot]


def _file(path: str) -> bytes:
    try:
        with files.opened(path) as file:
            return file.read(MOST_BYTES)
    except OSError:
        return b""


def parse(content: bytes) -> observation.Slot | None:
    """Return the slot that a state file holds; None of one that ends with its connection, or that cannot be read."""
    if len(content) < LAYOUT.size:
        return None
    fields = LAYOUT.unpack_from(content)
    magic, name, database, kind, (restart, ended, confirmed) = fields[0], *fields[4:7], fields[9:12]
    two, plugin = fields[13:]
    if magic != MAGIC or kind != LASTING:
        return None
    synced, failover = LATER.unpack_from(content, LAYOUT.size) if len(content) >= LAYOUT.size + 2 else (False, False)
    return {
        "name": _text(name),
        "physical": database == 0,
        "temporary": False,
        "active": False,
        "active_pid": None,
        "keeps_from": lsn.render(restart) if restart else None,
        "lost": bool(ended),
        "wal": None,
        "safe_bytes": None,
        "retained_bytes": None,
        "plugin": _text(plugin) or None,
        "database": str(database) if database else None,
        "confirmed_lsn": lsn.render(confirmed) if database and confirmed else None,
        "two_phase": two,
        "failover": failover,
        "synced": synced,
    }


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "surrogateescape")
