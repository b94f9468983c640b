# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which settings the master must change to feed a standby. Pure.

Sources: PostgreSQL manual, "Replication" (server configuration), "pg_rewind" (checksums or wal_log_hints).
"""

from __future__ import annotations

import typing as t

from ..engines.table import POSTGRESQL
from ..values.text import MEBIBYTE, size
from . import checks, topology
from .refusal import Refusal

#: walsenders and slots to leave room for when the number has to be raised anyway
HEADROOM = 10


def wanted(
    source: dict[str, t.Any], slot: str, snapshot: bool, keep_megabytes: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings that a reload applies and those that only a restart applies."""
    server = source["server"]
    now = server["settings"]
    reload, restart = {}, {}
    if now["max_slot_wal_keep_size"] == "-1":
        reload["max_slot_wal_keep_size"] = f"{keep_megabytes}MB"
    if now["wal_level"] == "minimal":
        restart["wal_level"] = "replica"
    if now["data_checksums"] != "on" and now["wal_log_hints"] != "on":
        restart["wal_log_hints"] = "on"
    if checks.listens_locally(now["listen_addresses"]):
        restart["listen_addresses"] = "*"
    busy = [row for row in server["senders"] if not row["application_name"].startswith("hawq_mirroring")]
    own = topology.sender_of(source, slot)
    busy = [row for row in busy if not own or row["pid"] != own["pid"]]
    senders = POSTGRESQL.snapshot_senders if snapshot else 1
    if int(now["max_wal_senders"]) < len(busy) + senders:
        restart["max_wal_senders"] = str(len(busy) + HEADROOM)
    others = [row for row in server["slots"] if row["slot_name"] != slot]
    if int(now["max_replication_slots"]) < len(others) + 1:
        restart["max_replication_slots"] = str(len(others) + HEADROOM)
    return reload, restart


def restart_refusals(master: str, source: dict[str, t.Any], restart: dict[str, str], allowed: bool) -> list[Refusal]:
    """A restart interrupts the master's users: never without being told."""
    if not restart or allowed:
        return []
    now = source["server"]["settings"]
    changes = ", ".join(f"{name} = {value} (now {now[name] or 'empty'})" for name, value in sorted(restart.items()))
    # one -c each: ALTER SYSTEM does not run inside the transaction that several statements in one -c are
    statements = " ".join(f"-c \"ALTER SYSTEM SET {name} = '{value}'\"" for name, value in sorted(restart.items()))
    return [
        Refusal(
            "restart-needed",
            f"the master on {master} needs {changes}",
            "only a restart of the master applies that",
            "Run again with -e master_restart_allowed=true (it restarts once), or do it yourself when it suits:"
            f" psql -d postgres {statements}, then systemctl restart {source['service']['unit']}",
        )
    ]


def retention_refusals(
    master: str, source: dict[str, t.Any], reload: dict[str, str], keep_megabytes: int
) -> list[Refusal]:
    """WAL kept for an absent standby must not be able to fill the master's disk."""
    free = source["data_directory"]["wal_free_bytes"]
    if "max_slot_wal_keep_size" not in reload or keep_megabytes * MEBIBYTE < free:
        return []
    return [
        Refusal(
            "wal-disk-too-small",
            f"{master} has {size(free)} free for WAL, master_wal_keep_megabytes is {keep_megabytes}",
            "an absent standby could fill the master's disk",
            f"Set master_wal_keep_megabytes to less than {free // MEBIBYTE}, or make room",
        )
    ]


def standby_overrides(
    source: dict[str, t.Any], port: int, master_addresses: list[str], standby_address: str
) -> dict[str, str | None]:
    """Return what the standby must set differently from the master: port, addresses, what would end its recovery."""
    now = source["server"]["settings"]
    # a point-in-time recovery that was left in the configuration would promote the standby as soon as it starts
    harmless = POSTGRESQL.standby_settings
    overrides: dict[str, str | None] = {
        name: value for name, value in harmless.items() if now.get(name, value) != value
    }
    if int(now["port"]) != port:
        overrides["port"] = str(port)
    words = [word.strip() for word in now["listen_addresses"].split(",") if word.strip()]
    own = [word for word in words if word in master_addresses]
    if own:
        overrides["listen_addresses"] = ",".join(
            dict.fromkeys(standby_address if word in own else word for word in words)
        )
    return overrides
