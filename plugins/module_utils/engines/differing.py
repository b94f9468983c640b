# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which settings may differ between a master and its standby, and which would be missed after a swap, as a table.

Sources: PostgreSQL manual, "Server Configuration", "Continuous Archiving", "Shared Library Preloading".
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Differing:
    """What judgement knows of an engine's settings, by their names."""

    #: those of a host or of a part in mirroring, each with the reason why it is no difference
    own: dict[str, str] = field(default_factory=dict)
    #: of those that a swap must not lose what is worse, from the worst on; all else is better, and alike
    ranks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: lists of which nothing may be missing
    lists: tuple[str, ...] = ()
    #: of these one is needed while the first is not off
    archiving: tuple[str, tuple[str, ...]] = ("", ())
    #: what would be lost, in words
    losses: dict[str, str] = field(default_factory=dict)
    #: what the engine has by default of those that a swap must not lose
    defaults: dict[str, str] = field(default_factory=dict)

    @property
    def watched(self) -> tuple[str, ...]:
        """Those that a swap must not lose."""
        return (*self.ranks, *self.lists, *self.archiving[1])


PART = "it belongs to the part that a server has in mirroring"
HOST = "it belongs to the host"
RECOVERY = "only a recovery reads it, and it is judged by itself"
AT_LEAST = "a standby that has less is judged by itself"
OURS: t.Final = "this collection sets it by the host's disk, or for whoever is the master"
SESSION = "it is a session's own"

POSTGRESQL = Differing(
    own={
        **dict.fromkeys(("primary_conninfo", "primary_slot_name", "sync_replication_slots"), PART),
        **dict.fromkeys(
            ("hot_standby", "hot_standby_feedback", "synchronous_standby_names", "synchronized_standby_slots"), PART
        ),
        **dict.fromkeys(("config_file", "data_directory", "hba_file", "ident_file", "external_pid_file"), HOST),
        **dict.fromkeys(("cluster_name", "listen_addresses", "port", "bonjour_name", "max_stack_depth"), HOST),
        **dict.fromkeys(("ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_crl_dir"), HOST),
        **dict.fromkeys(("ssl_dh_params_file", "krb_server_keyfile", "ssl_passphrase_command"), HOST),
        **dict.fromkeys(("archive_cleanup_command", "restore_command", "recovery_end_command"), RECOVERY),
        **dict.fromkeys(("recovery_min_apply_delay", "promote_trigger_file", "recovery_prefetch"), RECOVERY),
        **dict.fromkeys(("recovery_target", "recovery_target_action", "recovery_target_inclusive"), RECOVERY),
        **dict.fromkeys(("recovery_target_lsn", "recovery_target_name", "recovery_target_time"), RECOVERY),
        **dict.fromkeys(("recovery_target_timeline", "recovery_target_xid"), RECOVERY),
        **dict.fromkeys(("max_connections", "max_worker_processes", "max_wal_senders"), AT_LEAST),
        **dict.fromkeys(("max_prepared_transactions", "max_locks_per_transaction"), AT_LEAST),
        "max_slot_wal_keep_size": OURS,
        **dict.fromkeys(("application_name", "client_encoding", "role", "transaction_read_only"), SESSION),
        **dict.fromkeys(("transaction_isolation", "transaction_deferrable", "session_authorization"), SESSION),
    },
    ranks={
        "archive_mode": ("off",),
        "wal_level": ("minimal", "replica"),
        "fsync": ("off",),
        "full_page_writes": ("off",),
        "synchronous_commit": ("off",),
        "ssl": ("off",),
        "autovacuum": ("off",),
        "default_transaction_read_only": ("on",),
        "ignore_checksum_failure": ("on",),
        "ignore_invalid_pages": ("on",),
        "zero_damaged_pages": ("on",),
    },
    lists=("shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"),
    archiving=("archive_mode", ("archive_command", "archive_library")),
    losses={
        "archive_mode": "WAL would not be archived any more",
        "archive_command": "WAL would not be archived any more, and wait on the disk",
        "wal_level": "the WAL would hold less than it is used for",
        "fsync": "a crash of the host could damage the data",
        "full_page_writes": "a crash of the host could damage the data",
        "synchronous_commit": "commits would be confirmed before they are on the disk",
        "ssl": "clients that want encryption would be locked out",
        "autovacuum": "nothing would clean up, until the server refuses to write",
        "default_transaction_read_only": "clients could not write",
        "ignore_checksum_failure": "damaged data would be served",
        "ignore_invalid_pages": "damaged data would be served",
        "zero_damaged_pages": "damaged data would be deleted",
        "shared_preload_libraries": "what these libraries do would be missing",
        "session_preload_libraries": "what these libraries do would be missing",
        "local_preload_libraries": "what these libraries do would be missing",
    },
    defaults={
        "archive_mode": "off",
        "wal_level": "replica",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "ssl": "off",
        "autovacuum": "on",
        "default_transaction_read_only": "off",
        "ignore_checksum_failure": "off",
        "ignore_invalid_pages": "off",
        "zero_damaged_pages": "off",
    },
)
