# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings, archiving and slots as PostgreSQL 15 and 18 returned them on hosts, to be put into observations."""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.engines import differing
from observations import Observation, set_to, slot

CONF = "/data/hawq/master/postgresql.conf"
#: those that the tests use and whose defaults judgement does not know, and those that only a restart changes
DEFAULTS = {**differing.POSTGRESQL.defaults, "work_mem": "4096", "TimeZone": "GMT", "port": "5432"}
BY_RESTART = ("archive_mode", "wal_level", "shared_preload_libraries", "port", "primary_conninfo")
SEVENTEEN = {**set_to(server_version_num="180001", max_slot_wal_keep_size="10240"), "binaries.major": 18}


def configured(**values: str) -> dict[str, t.Any]:
    """Return settings that are not the default."""
    return {
        name: {"value": value, "default": DEFAULTS.get(name, ""), "by_restart": name in BY_RESTART}
        for name, value in values.items()
    }


def archiver(**overrides: t.Any) -> dict[str, t.Any]:
    """Return how WAL is archived by a master that does."""
    found = {
        "mode": "on",
        "told_how": True,
        "archived_at": None,
        "failed_at": None,
        "failed_wal": None,
        "waiting": 0,
        "waiting_seconds": None,
    }
    assert set(overrides) <= set(found)
    return {**found, **overrides}


UNUSED = {"active": False, "active_pid": None}
BARMAN: Observation = slot("barman", **UNUSED, keeps_from="0/17414F8", retained_bytes=9169768)
DEBEZIUM: Observation = slot(
    "debezium",
    **UNUSED,
    physical=False,
    keeps_from="0/2000028",
    plugin="pgoutput",
    database="app",
    confirmed_lsn="0/2000060",
    retained_bytes=56,
)
#: of PostgreSQL 17 and newer: on the master, on a standby that waits until it is safe, and on one that has it
FAILOVER: Observation = {**DEBEZIUM, "failover": True, "two_phase": True}
WAITING: Observation = {**FAILOVER, "synced": True, "temporary": True, "active": True, "active_pid": 24176}
SYNCED: Observation = {**FAILOVER, "synced": True}
#: state files in pg_replslot, as a crashed server leaves them
FILES = {
    "physical, of 15": "a11c0501262c1c0102000000b80000006261726d616e" + "00" * 74 + "f8147401" + "00" * 103,
    "logical, of 15": "a11c05019d34867f02000000b8000000646562657a69756d"
    + "00" * 57
    + "40"
    + "00" * 10
    + "d502000028000002"
    + "00" * 12
    + "60000002"
    + "00" * 13
    + "70676f7574707574"
    + "00" * 66,
    "for standbys, of 18": "a11c05015514dfb205000000b8000000646562657a69756d"
    + "00" * 57
    + "40"
    + "00" * 10
    + "f1020000a8feae01"
    + "00" * 12
    + "e0feae0100000000e0feae01000000000170676f7574707574"
    + "00" * 57
    + "010000000000",
    "temporary, of 18": "a11c0501a6cde74b05000000b8000000646562657a69756d"
    + "00" * 56
    + "0500000002"
    + "00" * 43
    + "01"
    + "00" * 67
    + "01010000000000",
}
