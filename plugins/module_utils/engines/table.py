# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs by engine and version, as a table: capabilities that judgement asks for, and words that people read.

Judgement never asks for an engine's name. Sources: PostgreSQL manual, "Server Configuration", "Hot Standby" (settings
that must not be below the primary's); the manuals of Greenplum 6 and of HAWQ 2 for the engines to come.
"""

from __future__ import annotations

import re
import shlex
import typing as t
from dataclasses import dataclass, field, replace

from . import differing


def quoted(name: str) -> str:
    """Return a name as it stands in a statement."""
    doubled = name.replace('"', '""')
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else f'"{doubled}"'


@dataclass(frozen=True)
class Words:
    """An engine's names for what people must find, read or type."""

    #: file in the data directory that marks a standby
    standby_marker: str
    #: file that says who may connect, and the one that has the settings
    access_file: str
    configuration_file: str
    #: all that people write and a server only reads
    read_only_files: tuple[str, ...]
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
    #: how statements are typed, each in a transaction of its own: {user}, {client}, {directory}, {port}, {database} and
    #: {statements}; and where the server's socket is when that is not known
    type_statements: str
    socket_directory: str
    #: what a directory lacks that cannot be taken back
    rewind_lacks: str
    #: how a copy is made with the master stopped, of an engine that knows no other
    snapshot_offline: str
    #: statements: {pid}; {name} and {value}; {name}; and what applies a changed setting
    end_session: str
    set_setting: str
    drop_slot: str
    reload: str
    #: where packages of every major version come from
    packages: str
    #: what a setting is called here, by what it is for
    settings: dict[str, str]
    #: and what it is set to; {megabytes}
    values: dict[str, str]

    #: statements for a database whose texts are sorted by another version now: {name}; and for a collation of it
    rebuild: tuple[str, ...]
    refresh_collation: str
    #: and one that brings a table into the WAL: {name}
    log_table: str

    def rebuilding(self, database: str, collations: t.Iterable[str | None]) -> list[str]:
        """Return what rebuilds what was sorted by another version, and writes the new one down.

        A collation that is None is the database's own.
        """
        index, own = (each.format(name=quoted(database)) for each in self.rebuild)
        return [
            index,
            *(own if each is None else self.refresh_collation.format(name=each) for each in collations),
        ]


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
    #: settings that would end or delay a standby's recovery, or lead it elsewhere, and their harmless values
    standby_settings: dict[str, str] = field(default_factory=dict)
    #: settings that only a restart changes
    restart_settings: tuple[str, ...] = ()
    #: what is known of settings that differ between two servers
    differing: differing.Differing = field(default_factory=differing.Differing)
    #: the first major version whose standbys get logical slots from their master; None of an engine that cannot
    synchronises_slots_since: int | None = None


POSTGRESQL = Engine(
    key="postgresql",
    name="PostgreSQL",
    majors=(15, 16, 17, 18),
    words=Words(
        standby_marker="standby.signal",
        access_file="pg_hba.conf",
        configuration_file="postgresql.conf",
        read_only_files=("pg_hba.conf", "pg_ident.conf", "postgresql.conf"),
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
        type_statements="runuser -u {user} -- {client} -h {directory} -p {port} -d {database} {statements}",
        socket_directory="/var/run/postgresql",
        rewind_lacks="neither data checksums nor wal_log_hints are on",
        snapshot_offline="",
        end_session="SELECT pg_terminate_backend({pid})",
        set_setting="ALTER SYSTEM SET {name} = '{value}'",
        drop_slot="SELECT pg_drop_replication_slot('{name}')",
        reload="SELECT pg_reload_conf()",
        rebuild=("REINDEX DATABASE {name}", "ALTER DATABASE {name} REFRESH COLLATION VERSION"),
        refresh_collation="ALTER COLLATION {name} REFRESH VERSION",
        log_table="ALTER TABLE {name} SET LOGGED",
        packages="https://apt.postgresql.org or https://yum.postgresql.org",
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
            "wal from an archive": "restore_command",
            "synchronise slots": "sync_replication_slots",
            "feedback": "hot_standby_feedback",
            "slots in step": "synchronized_standby_slots",
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
        "archive_cleanup_command": "",
        "hot_standby": "on",
        "promote_trigger_file": "",
        "recovery_end_command": "",
        "recovery_min_apply_delay": "0",
        "recovery_target": "",
        "recovery_target_lsn": "",
        "recovery_target_name": "",
        "recovery_target_time": "",
        "recovery_target_timeline": "latest",
        "recovery_target_xid": "",
        "restore_command": "",
    },
    differing=differing.POSTGRESQL,
    synchronises_slots_since=17,
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


def asked_in(seen: t.Mapping[str, t.Any]) -> str:
    """Return the database in which a server was asked: others log in there as well. The first may be gone."""
    return (seen["server"] or {}).get("database") or of(seen).words.databases[0]


def typed(seen: t.Mapping[str, t.Any], statements: t.Iterable[str], database: str | None = None) -> str:
    """Return the line that runs these statements on a host's server, each in a transaction of its own.

    It is root's, as all that is typed there, and names what the client would otherwise guess: who, where and which
    database. Without one that is the database in which the server was asked.
    """
    words, pidfile = of(seen).words, seen["process"]["pidfile"]
    values = {
        "user": shlex.quote(seen["user"]["name"]),
        "client": shlex.quote(f"{seen['binaries']['directory']}/{words.client}"),
        "directory": shlex.quote(pidfile.get("socket_directory") or words.socket_directory),
        "port": pidfile.get("port") or seen["endpoint"]["port"],
        "database": shlex.quote(database or asked_in(seen)),
    }
    each = [f"-c {_in_a_shell(statement)}" for statement in statements]
    return words.type_statements.format(statements=" ".join(each), **values)


def _in_a_shell(statement: str) -> str:
    """Return a statement as one word: between double quotes, which are easier to read, where that is the same."""
    return shlex.quote(statement) if set(statement) & set("$`\\!") else '"' + statement.replace('"', '\\"') + '"'
