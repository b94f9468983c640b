# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs by engine and version, as a table: capabilities that judgement asks for, and words that people read.

Judgement never asks for an engine's name. Sources: PostgreSQL manual, "Server Configuration", "Hot Standby" (settings
that must not be below the primary's); the manuals of Greenplum 6 and of HAWQ 2 for the engines to come.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Words:
    """An engine's names for what people must find, read or type."""

    #: file in the data directory that marks a standby
    standby_marker: str
    #: file that says who may connect
    access_file: str
    #: program that takes a directory back to where its history left the master's
    rewind: str
    #: program that verifies a copy
    verify: str
    #: program that reads the control file, and the one that SQL is typed into
    control_program: str
    client: str
    #: the line that shows WAL record by record; {directory} that has it, {begin}, {end} and {timeline} are filled in
    read_wal: str
    #: file in the data directory that names its server's process; the server's program; where the WAL is
    process_file: str
    server_program: str
    wal_directory: str
    #: databases that always get the views; sessions go to the first
    databases: tuple[str, ...]
    #: how statements are typed, each in a transaction of its own; {statement} and {statements}
    type_statement: str
    type_statements: str
    #: what a directory lacks that cannot be taken back
    rewind_lacks: str
    #: how a copy is made with the master stopped, of an engine that knows no other
    snapshot_offline: str
    #: statements: {pid}; {name} and {value}; and what applies a changed setting
    end_session: str
    set_setting: str
    reload: str
    #: what a setting is called here, by what it is for
    settings: dict[str, str]
    #: and what it is set to; {megabytes}
    values: dict[str, str]

    def typed(self, statements: t.Iterable[str]) -> str:
        """Return the line that runs these statements."""
        each = [self.type_statement.format(statement=statement) for statement in statements]
        return self.type_statements.format(statements=" ".join(each))


@dataclass(frozen=True)
class Engine:
    """One engine at the majors it is known for."""

    #: as the option ``instance.engine`` has it
    key: str
    #: as people call it
    name: str
    majors: tuple[int, ...]
    words: Words
    #: programs that a master host needs in its binaries' directory
    programs: tuple[str, ...]
    #: a snapshot is taken while the master works; otherwise its files are copied with the master stopped
    snapshot_online: bool
    #: walsenders that a snapshot uses: one for the files, one for the WAL
    snapshot_senders: int
    #: the master has slots, which keep WAL for an absent standby, and may limit how much that is
    keeps_wal_for_standby: bool
    limits_kept_wal: bool
    #: an activation begins a new timeline; without timelines nobody can tell where two histories part
    timelines: bool
    #: a diverged directory can be taken back without a copy of all
    rewinds: bool
    #: equal blocks of old data can be kept when all is compared with the master
    compares: bool
    #: a standby gives sessions
    queries_on_standby: bool
    #: a standby is registered in the master's catalog: "no", "while it runs" or "with a restart"
    registration: str
    #: the mirroring state comes from "live views" or from "a stored row", which may be out of date
    state_from: str
    #: a standby becomes the master by "promotion", or by "restart" as a master with the segments
    activation: str
    #: settings of a standby that must be at least the master's, or it does not start
    standby_at_least: tuple[str, ...] = ()
    #: settings that would end or delay a standby's recovery, and their harmless values
    standby_settings: dict[str, str] = field(default_factory=dict)
    #: settings that only a restart changes
    restart_settings: tuple[str, ...] = ()


POSTGRESQL = Engine(
    key="postgresql",
    name="PostgreSQL",
    majors=(15, 16, 17, 18),
    words=Words(
        standby_marker="standby.signal",
        access_file="pg_hba.conf",
        rewind="pg_rewind",
        verify="pg_verifybackup",
        control_program="pg_controldata",
        client="psql",
        read_wal="pg_waldump -p {directory}/pg_wal -s {begin} -e {end} -t {timeline}",
        process_file="postmaster.pid",
        server_program="postgres",
        wal_directory="pg_wal",
        databases=("postgres", "template1"),
        # one -c each: ALTER SYSTEM does not run inside the transaction that several statements in one -c are
        type_statement='-c "{statement}"',
        type_statements="psql -d postgres {statements}",
        rewind_lacks="neither data checksums nor wal_log_hints are on",
        snapshot_offline="",
        end_session="SELECT pg_terminate_backend({pid})",
        set_setting="ALTER SYSTEM SET {name} = '{value}'",
        reload="SELECT pg_reload_conf()",
        settings={
            "port": "port",
            "addresses": "listen_addresses",
            "wal for a standby": "wal_level",
            "hints for a rewind": "wal_log_hints",
            "senders": "max_wal_senders",
            "slots": "max_replication_slots",
            "kept wal": "max_slot_wal_keep_size",
            "synchronous standbys": "synchronous_standby_names",
            "sender timeout": "wal_sender_timeout",
        },
        values={
            "addresses": "*",
            "wal for a standby": "replica",
            "hints for a rewind": "on",
            "kept wal": "{megabytes}MB",
        },
    ),
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
    snapshot_online=True,
    snapshot_senders=2,
    keeps_wal_for_standby=True,
    limits_kept_wal=True,
    timelines=True,
    rewinds=True,
    compares=True,
    queries_on_standby=True,
    registration="no",
    state_from="live views",
    activation="promotion",
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
)

#: Engines to come: judgement is tested with their capabilities. They have no room here yet, so nothing runs on them.
GREENPLUM_6 = replace(
    POSTGRESQL,
    key="greenplum6",
    name="Greenplum",
    majors=(6,),
    words=replace(POSTGRESQL.words, standby_marker="recovery.conf", verify="pg_checksums"),
    compares=False,
    queries_on_standby=False,
    registration="while it runs",
)
HAWQ_2 = replace(
    GREENPLUM_6,
    key="hawq2",
    name="HAWQ",
    majors=(2,),
    words=replace(GREENPLUM_6.words, snapshot_offline="hawq init standby"),
    snapshot_online=False,
    snapshot_senders=0,
    keeps_wal_for_standby=False,
    limits_kept_wal=False,
    timelines=False,
    rewinds=False,
    registration="with a restart",
    state_from="a stored row",
    activation="restart",
)

#: engines that this collection runs on, by their key
ENGINES = {engine.key: engine for engine in (POSTGRESQL,)}
COMING = {engine.key: engine for engine in (GREENPLUM_6, HAWQ_2)}


def of(seen: t.Mapping[str, t.Any]) -> Engine:
    """Return the engine of a host that was looked at; raise KeyError for one that is not known."""
    key = seen["engine"]
    return ENGINES.get(key) or COMING[key]
