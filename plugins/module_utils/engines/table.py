# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs by engine and version, as a table. Judgement asks for capabilities, never for an engine's name.

Sources: PostgreSQL manual, "Server Configuration", "Hot Standby" (settings that must not be below the primary's).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    """One engine at the majors it is known for."""

    name: str
    majors: tuple[int, ...]
    #: programs that a master host needs in its binaries' directory
    programs: tuple[str, ...]
    #: settings of a standby that must be at least the master's, or it does not start
    standby_at_least: tuple[str, ...]
    #: settings that would end or delay a standby's recovery, and their harmless values
    standby_settings: dict[str, str]
    #: settings that only a restart changes
    restart_settings: tuple[str, ...]
    #: walsenders that a snapshot uses: one for the files, one for the WAL
    snapshot_senders: int
    keeps_wal_for_standby: bool


POSTGRESQL = Engine(
    name="PostgreSQL",
    majors=(15, 16, 17, 18),
    programs=(
        "postgres",
        "initdb",
        "pg_ctl",
        "pg_basebackup",
        "pg_verifybackup",
        "pg_rewind",
        "pg_receivewal",
        "pg_controldata",
        "psql",
    ),
    standby_at_least=(
        "max_connections",
        "max_worker_processes",
        "max_wal_senders",
        "max_prepared_transactions",
        "max_locks_per_transaction",
    ),
    standby_settings={
        "promote_trigger_file": "",
        "recovery_end_command": "",
        "recovery_min_apply_delay": "0",
        "recovery_target": "",
        "recovery_target_lsn": "",
        "recovery_target_name": "",
        "recovery_target_time": "",
        "recovery_target_timeline": "latest",
        "recovery_target_xid": "",
    },
    restart_settings=("wal_level", "max_wal_senders", "max_replication_slots", "wal_log_hints", "listen_addresses"),
    snapshot_senders=2,
    keeps_wal_for_standby=True,
)
