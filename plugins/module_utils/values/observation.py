# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an observation of a host is: the seam between engines and judgement. Types only.

An engine answers in these neutral words; judgement reads nothing else. LSNs are texts of the engine, sizes are bytes,
points in time are seconds since the epoch. What cannot be read is None or empty.
"""

from __future__ import annotations

import typing as t


class Endpoint(t.TypedDict):
    """Where a server is reached."""

    address: t.Annotated[str, "host name or address"]
    port: t.Annotated[int, "TCP port"]


class Machine(t.TypedDict):
    """The host itself."""

    hostname: t.Annotated[str, "its own name for itself"]
    machine_id: t.Annotated[str, "the identifier of its operating system's installation"]
    addresses: t.Annotated[list[str], "its addresses, without loopback and link-local ones"]
    architecture: t.Annotated[str, "its processor's architecture"]


class User(t.TypedDict):
    """The operating system user that owns the server."""

    name: t.Annotated[str, "its name"]
    exists: t.Annotated[bool, "whether the host knows it"]
    home: t.Annotated[str | None, "its home directory"]
    memory_removed: t.Annotated[bool, "whether systemd removes its shared memory when its last session ends"]


class Blocks(t.TypedDict):
    """Our lines in files that others write, too; None where there are none."""

    limits: t.Annotated[list[str] | None, "in the limits of the user"]
    profile: t.Annotated[list[str] | None, "in the login profile of the user"]
    access: t.Annotated[list[str] | None, "in the access file: the lines that let the other hosts replicate"]
    segments: t.Annotated[list[str] | None, "in the access file: the lines that let the segments in"]
    unchangeable: t.Annotated[str | None, "the access file or its directory, where nobody may change that (chattr)"]


class Ssh(t.TypedDict):
    """Public SSH keys."""

    public_key: t.Annotated[str | None, "that of the server's user"]
    authorized: t.Annotated[list[str], "those that the user lets in"]
    restricted: t.Annotated[list[str], "those of them that are good for the questions of another master host only"]
    known: t.Annotated[list[str], "those that the user expects of other hosts"]
    host_keys: t.Annotated[list[str], "those of this host"]
    unchangeable: t.Annotated[str | None, "a file of them or its directory that nobody may change (chattr)"]


class Binaries(t.TypedDict):
    """The engine's programs."""

    directory: t.Annotated[str, "where they are looked for"]
    missing: t.Annotated[list[str], "those that are not there"]
    version: t.Annotated[str | None, "the server's version"]
    major: t.Annotated[int | None, "the server's major version"]
    client_library: t.Annotated[bool, "whether the library that sessions need is there"]
    other_python: t.Annotated[str | None, "the Python that Ansible runs, where it is another than the system's own"]
    named: t.Annotated[bool, "whether the inventory names their version or place"]
    wanted: t.Annotated[int | None, "the major version that the host has or would get"]
    places: t.Annotated[dict[str, str], "where each major version is or would be, by its number"]
    installed: t.Annotated[list[int], "major versions whose server is in a place of its own"]
    offered: t.Annotated[list[int] | None, "major versions that could be installed; None where that is not known"]


class DataDirectory(t.TypedDict):
    """The data directory and the room around it."""

    path: t.Annotated[str, "where it is or would be"]
    real_path: t.Annotated[str, "the same without symbolic links"]
    mount_point: t.Annotated[bool, "whether a file system is mounted right there"]
    mounted_inside: t.Annotated[list[str], "where file systems are mounted inside it"]
    clusters_inside: t.Annotated[list[str], "data directories of other clusters inside it"]
    unmounted: t.Annotated[str | None, "a mount point at or above it that nothing is mounted at; None where all is"]
    read_only: t.Annotated[str | None, "a place of data or WAL on a file system that lets nothing be written"]
    unchangeable: t.Annotated[str | None, "a file or directory of it, or above it, that nobody may change (chattr)"]
    closed: t.Annotated[str | None, "a file or directory of the data that the server's user may not write"]
    link: t.Annotated[bool, "whether it is a symbolic link"]
    state: t.Annotated[t.Literal["missing", "empty", "data", "other"], "data is a server's; other is somebody's files"]
    entries: t.Annotated[list[str], "its first five names"]
    owner: t.Annotated[str | None, "the user that it belongs to; None where it is missing"]
    marked_standby: t.Annotated[bool, "the mark of a standby is there: started, the server replays a master's WAL"]
    marked_recovery: t.Annotated[bool, "the mark of a recovery from an archive is there"]
    unstarted_copy: t.Annotated[bool, "it is a copy of a running server that has never been started"]
    fenced: t.Annotated[bool, "the record is there that says that it must not accept writes"]
    fence_reason: t.Annotated[str | None, "what that record gives as the reason"]
    removed: t.Annotated[bool, "that record says that it was taken away as a standby"]
    fence_run: t.Annotated[str | None, "which run of a playbook made that record"]
    fence_timeline: t.Annotated[int | None, "timeline of the data when that record was made"]
    removed_on_purpose: t.Annotated[bool, "a mark outside of it says that its data was deleted on purpose"]
    unfinished: t.Annotated[bool, "a run has left it half-way: it must not be started"]
    slots: t.Annotated[list[str], "names of the slots in it"]
    linked_files: t.Annotated[list[str], "configuration files in it that are symbolic links"]
    kept: t.Annotated[list[str], "what was kept aside beside it"]
    wal_link: t.Annotated[str | None, "where its WAL is when that is elsewhere"]
    free_bytes: t.Annotated[int, "bytes free on its file system, and within the quotas of the server's user"]
    quota: t.Annotated[bool, "whether a quota leaves less than its file system has"]
    used_bytes: t.Annotated[int, "bytes used on its file system"]
    total_bytes: t.Annotated[int, "bytes of its file system"]
    wal_free_bytes: t.Annotated[int, "bytes free on the file system of its WAL"]
    wal_free_files: t.Annotated[int | None, "files that can still be made there; None where there is no limit"]
    parent_exists: t.Annotated[bool, "whether the directory above it is there"]
    no_room: t.Annotated[str | None, "why nothing can be made beside it, not even by root; None where it can"]
    device: t.Annotated[int, "number of the file system it is or would be on"]
    reclaimable_bytes: t.Annotated[int, "bytes that its deletion would free; 0 while that was not asked"]


class Control(t.TypedDict):
    """What the data says of its last server, without a session."""

    system_identifier: t.Annotated[str | None, "what all copies of one database system share"]
    ended: t.Annotated[
        t.Literal["clean", "crashed", "recovering", "unknown"],
        "how the server ended, if it has ended; recovering: while it recovered from a crash",
    ]
    as_master: t.Annotated[bool | None, "whether it was a master then; None when that is not known"]
    timeline: t.Annotated[int, "timeline of the last checkpoint"]
    checkpoint_lsn: t.Annotated[str | None, "LSN of the last checkpoint"]
    redo_lsn: t.Annotated[str | None, "LSN that a recovery would begin at"]
    min_recovery_lsn: t.Annotated[str | None, "LSN up to which a standby must replay at least"]
    min_recovery_timeline: t.Annotated[int | None, "timeline of that LSN; 0 of a master"]
    can_rewind: t.Annotated[bool, "whether changed blocks can be told: checksums or hints in the WAL are on"]
    wal_segment_bytes: t.Annotated[int | None, "bytes of a WAL segment"]
    at_least: t.Annotated[dict[str, int], "what its master had of the settings that a standby may not have less of"]
    tablespace_version: t.Annotated[str | None, "name of the directory that its files have in a tablespace's place"]


class PidFile(t.TypedDict, total=False):
    """What the server's own file says of its process."""

    pid: t.Annotated[int, "process"]
    started: t.Annotated[int, "seconds since the epoch"]
    data_directory: t.Annotated[str, "directory it works in"]
    port: t.Annotated[int, "TCP port"]
    socket_directory: t.Annotated[str, "where its socket is"]
    status: t.Annotated[str, "how far its start is; ready once it lets sessions in"]


class Process(t.TypedDict):
    """The server's process."""

    running: t.Annotated[bool, "whether there is one that works in this data directory"]
    pid: t.Annotated[int | None, "its number"]
    frozen: t.Annotated[bool, "whether it is stopped by a signal"]
    stopped: t.Annotated[dict[str, str], "those of its own processes that are, by their numbers, with their titles"]
    pidfile: t.Annotated[PidFile, "what the server's file says, whether or not there is such a process"]


class Service(t.TypedDict):
    """The unit of the server, as systemd has it."""

    unit: t.Annotated[str, "name"]
    load: t.Annotated[str, "systemd's LoadState"]
    active: t.Annotated[str, "systemd's ActiveState"]
    sub: t.Annotated[str, "systemd's SubState"]
    type: t.Annotated[str, "systemd's Type: what counts as its start"]
    enabled: t.Annotated[str, "systemd's UnitFileState"]
    stale: t.Annotated[bool, "whether its file has changed since systemd read it"]
    says: t.Annotated[str | None, "what it says of itself, as systemctl status shows it"]
    before: t.Annotated[str, "what is run before its start, as systemd has it from all its files"]
    text: t.Annotated[str | None, "its file"]
    waits_for: t.Annotated[str | None, "what its start waits for, as the unit says; None while it waits for nothing"]


class Rival(t.TypedDict):
    """Another unit that would start a server in the same data directory at boot."""

    unit: t.Annotated[str, "name"]
    mend: t.Annotated[str, "what is typed on the host to keep it from that"]


class Elsewhere(t.TypedDict):
    """A server that the inventory means by its unit or its port, and that runs in another directory than it says."""

    path: t.Annotated[str, "its data directory"]
    port: t.Annotated[int | None, "its TCP port; None when its file cannot be read"]
    unit: t.Annotated[str | None, "the unit that the inventory names, where that runs it; None: only its port fits"]
    system_identifier: t.Annotated[str | None, "that of its data; None when it cannot be read"]


class Follows(t.TypedDict):
    """The server that the data directory is told to replicate from; None of what it is not told."""

    host: t.Annotated[str | None, "host name or address"]
    port: t.Annotated[int | None, "TCP port"]
    user: t.Annotated[str | None, "role"]
    database: t.Annotated[str | None, "database that slots are synchronised through"]


class Credentials(t.TypedDict):
    """Whether the replication password is where and what it should be, never what it is."""

    path: t.Annotated[str, "the password file"]
    private: t.Annotated[bool, "whether only the server's user can read it"]
    servers: t.Annotated[list[list[str]], "host and port of each server that it has the role's password for"]
    consistent: t.Annotated[bool, "whether that is one and the same password"]
    accepted: t.Annotated[bool | None, "whether the master here takes it; None where there is no master"]
    login: t.Annotated[str | None, '"accepted", or what the server that is followed answers to a login']


class Configuration(t.TypedDict):
    """The configuration directory."""

    path: t.Annotated[str, "where it is"]
    outside: t.Annotated[bool, "whether it lies outside the data directory"]
    exists: t.Annotated[bool, "whether a configuration is there"]
    no_room: t.Annotated[str | None, "why none can be made there, not even by root; None where it can"]
    at_least: t.Annotated[
        dict[str, str],
        "what it asks for of the settings that a standby may not have less of than its master; empty while a session"
        " tells what the server has",
    ]
    asks_for: t.Annotated[
        dict[str, str],
        "what it asks for of the settings that a swap must not lose; empty while a session tells what the server has",
    ]
    harmful: t.Annotated[
        dict[str, str],
        "settings in it that keep a standby from giving sessions, and what they should be; empty likewise",
    ]


class Snapshot(t.TypedDict):
    """The snapshot job and its staging place."""

    phase: t.Annotated[t.Literal["none", "copying", "verifying", "done", "failed"], "where the job is"]
    result: t.Annotated[str, "how its program ended"]
    staging: t.Annotated[str, "the staging place"]
    exists: t.Annotated[bool, "whether that is there"]
    copied: t.Annotated[bool, "whether there is a copy, or a part of one, in it"]
    reclaimable_bytes: t.Annotated[int, "bytes that its deletion would free"]
    verified: t.Annotated[bool, "whether the copy was verified"]
    request: t.Annotated[dict[str, t.Any], "what the copy was made for"]


class Program(t.TypedDict):
    """One of the collection's own programs on the host."""

    program: t.Annotated[str | None, "digest of the program"]
    settings: t.Annotated[t.Any, "what it is told"]
    unit: t.Annotated[str | None, "digest of its unit"]
    stale: t.Annotated[bool, "whether its unit has changed since systemd read it"]
    enabled: t.Annotated[bool, "whether it starts at boot"]
    active: t.Annotated[bool, "whether it runs"]
    state: t.Annotated[str, "the state of its unit, as systemd has it; empty where it has none"]
    says: t.Annotated[str, "what it says of itself, as systemctl status shows it"]


class Views(t.TypedDict):
    """The extension that has the views."""

    files: t.Annotated[dict[str, str | None], "digest of each of its files"]
    databases: t.Annotated[list[str], "databases of a master that have it, of those that were asked for"]


class Probe(t.TypedDict):
    """What comes back from a peer's port."""

    address: t.Annotated[str, "host name or address"]
    port: t.Annotated[int, "TCP port"]
    open: t.Annotated[bool, "whether a connection opens"]
    answers: t.Annotated[bool, "whether a server answers there"]
    sources: t.Annotated[list[str], "addresses of this host that connections to there leave from"]
    error: t.Annotated[str | None, "why it does not open"]


class Ask(t.TypedDict):
    """Whether another master host answers what this one would ask it before a start as a master."""

    server: t.Annotated[str | None, '"accepted", or what its server answers to a login; None where its port is closed']
    host: t.Annotated[str | None, '"answered", or why its host did not answer by SSH; None where that was not asked']


class VirtualIp(t.TypedDict):
    """The address that follows the master."""

    address: t.Annotated[str, "with its prefix"]
    here: t.Annotated[bool, "whether it is on this host"]
    taken: t.Annotated[bool | None, "whether anybody else answers for it; None where it is, or when nobody was asked"]
    interface: t.Annotated[str, "that is to have it"]
    link: t.Annotated[t.Literal["up", "down", "missing"], "whether there is that interface, and carries anything"]
    on: t.Annotated[list[str], "interfaces that have it"]
    networks: t.Annotated[list[str], "of the other addresses of that interface"]
    macs: t.Annotated[dict[str, str], "hardware addresses of this host's interfaces"]
    others: t.Annotated[list[str] | None, "hardware addresses of others that answer for it; None when nobody was asked"]
    named_in: t.Annotated[list[str], "files of the host's own configuration that name it"]


class Witness(t.TypedDict):
    """What a segment remembers of the master that it last reached."""

    master: t.Annotated[str, "its name"]
    timeline: t.Annotated[int | None, "its timeline"]
    lsn: t.Annotated[str | None, "its LSN"]
    summary_state: t.Annotated[str, "the mirroring state that it showed"]
    at: t.Annotated[float, "seconds since the epoch, by its own clock"]
    age_seconds: t.Annotated[float | None, "how long ago that was, by the same clock"]
    system_identifier: t.Annotated[str | None, "the master's system; None when it was not written down"]


class Ledger(t.TypedDict):
    """The record of a witness of which master commits may go on without their standby."""

    record: t.Annotated[dict[str, t.Any] | None, "what it has granted and promised; None when it cannot be believed"]
    why: t.Annotated[str | None, "why it cannot be; None otherwise"]
    stopped: t.Annotated[str | None, "the unit of its program, where that does not run"]


class Guard(t.TypedDict):
    """The program that keeps a master's commits waiting for its standby."""

    mode: t.Annotated[str, "asynchronous, synchronous or strict"]
    degrade_after: t.Annotated[float, "seconds that commits wait for a standby that is lost, at least", "s"]
    count: t.Annotated[int, "for how many standbys a commit waits"]
    witnesses: t.Annotated[list[str], "those whose majority must know before the master goes on alone"]
    active: t.Annotated[bool, "whether it runs"]
    unit: t.Annotated[str, "the unit that runs it"]
    says: t.Annotated[str, "what it says of itself, as systemctl status shows it"]
    enabled: t.Annotated[bool, "whether it comes with the server, and systemd has read its unit"]
    files: t.Annotated[dict[str, str], "digests (SHA-256) of the files that it is run with, by their paths"]


class Directory(t.TypedDict):
    """A directory that a tablespace of the master would need here."""

    path: t.Annotated[str, "where"]
    there: t.Annotated[t.Literal["directory", "nothing", "other"], "what is there"]
    unmounted: t.Annotated[str | None, "mount point at or above it at which nothing is mounted; None otherwise"]
    entries: t.Annotated[list[str], "its first five names"]
    foreign: t.Annotated[bool, "whether there are files in it that are not a tablespace's"]
    versions: t.Annotated[list[str], "directories of tablespaces in it: each major version has one of its own"]
    used_by: t.Annotated[list[str], "data directories of running servers whose tablespace it is"]
    trouble: t.Annotated[str | None, "why no server of this user can use it, made or not; None otherwise"]
    closed: t.Annotated[str | None, "a directory above it that does not let the user in; None otherwise"]
    only_named: t.Annotated[bool, "whether root makes it, or gives it away, only when the operator has named it"]
    free_bytes: t.Annotated[int, "bytes free on its file system"]
    device: t.Annotated[int, "number of its file system"]


class NamedPlace(t.TypedDict):
    """A file or directory that the configuration names and that would not do here."""

    setting: t.Annotated[str, "what names it"]
    path: t.Annotated[str, "where"]
    wanted: t.Annotated[str, "what it is for: read, private (to read, a secret), enter, write, make or run"]
    starts: t.Annotated[bool, "whether a server does not start without it"]
    trouble: t.Annotated[str | None, "why it would not do: missing, closed, no file, no directory or too open"]


class ListenWord(t.TypedDict):
    """A name or address that a server is to listen at."""

    word: t.Annotated[str, "as the configuration has it"]
    addresses: t.Annotated[list[str], "what it is here"]
    able: t.Annotated[bool, "whether a server here could listen at it now"]


class Trial(t.TypedDict):
    """What a server would say here if it were started with its master's configuration."""

    error: t.Annotated[str | None, "what it would end with; None where it would start"]
    places: t.Annotated[list[NamedPlace], "files and directories that the configuration names and that would not do"]
    memory_bytes: t.Annotated[int | None, "bytes of shared memory that it would ask for"]
    host_memory_bytes: t.Annotated[int | None, "bytes of memory of the host"]
    huge_pages: t.Annotated[int | None, "huge pages that it would need; None where it can do without"]
    free_huge_pages: t.Annotated[int | None, "huge pages that the host has to spare"]
    segment_limit_bytes: t.Annotated[
        int | None, "bytes that the kernel gives in one segment of System V; None where it asks for none of these"
    ]
    segments_limit_bytes: t.Annotated[int | None, "bytes that the kernel gives in all of them; None likewise"]
    dynamic_free_bytes: t.Annotated[
        int | None, "bytes free where it makes memory for parallel queries; None where that is no file system"
    ]
    ring_refused: t.Annotated[str | None, "why the kernel gives no io_uring to a server that wants it"]
    listens: t.Annotated[list[ListenWord], "where it would listen"]
    data_directory: t.Annotated[str | None, "the data directory that the configuration names, if it does"]


class Space(Directory):
    """The place of a tablespace of the data on this host."""

    oid: t.Annotated[str, "its number, the same on all hosts"]
    linked: t.Annotated[bool, "whether the data has it; otherwise it is made by WAL that is yet to be replayed"]
    total_bytes: t.Annotated[int, "size of its file system in bytes"]


class Settings(t.TypedDict):
    """How the server runs."""

    version_major: t.Annotated[int, "major version"]
    port: t.Annotated[int, "TCP port"]
    listens: t.Annotated[list[str], "addresses that it listens on; * is all of them"]
    access_file: t.Annotated[str, "the file that says who may connect"]
    wal_segment_bytes: t.Annotated[int, "bytes of a WAL segment"]
    wal_for_standby: t.Annotated[bool, "whether its WAL holds what a standby needs"]
    can_rewind: t.Annotated[bool, "whether changed blocks can be told: checksums or hints in the WAL are on"]
    senders_limit: t.Annotated[int, "so many can be sent WAL at the same time"]
    slots_limit: t.Annotated[int | None, "so many slots are possible; None of an engine without"]
    kept_wal_limit_bytes: t.Annotated[int | None, "bytes of WAL that a slot keeps at most; None: no limit"]
    synchronous_standbys: t.Annotated[str, "the standbys that commits wait for, as the engine writes it"]
    at_least: t.Annotated[dict[str, int], "settings that a standby may not have less of than its master"]
    harmful: t.Annotated[
        dict[str, str], "settings that would end or delay a recovery, or lead it elsewhere, and what they should be"
    ]
    harmless: t.Annotated[dict[str, str], "what all of these should be, as far as this version has them"]
    archive: t.Annotated[str | None, "digest of the command that gets WAL from an archive; None without one"]
    by_restart: t.Annotated[dict[str, str], "settings that only a restart changes, as they are"]


class Configured(t.TypedDict):
    """A setting in effect that is not as the engine has it by default; of one that may hold a secret a digest."""

    value: t.Annotated[str, "what is in effect"]
    default: t.Annotated[str, "what the engine has by default"]
    by_restart: t.Annotated[bool, "whether only a restart changes it"]


class Archiver(t.TypedDict):
    """How WAL is archived."""

    mode: t.Annotated[str, "off, on (by a master) or always"]
    told_how: t.Annotated[bool, "whether there is anything that archives"]
    archived_at: t.Annotated[float | None, "when that was done last, seconds since the epoch"]
    failed_at: t.Annotated[float | None, "when that failed last, seconds since the epoch"]
    failed_wal: t.Annotated[str | None, "the file that it failed for"]
    waiting: t.Annotated[int | None, "WAL segment files that wait for it; None while nothing is archived"]
    waiting_seconds: t.Annotated[float | None, "how long one has waited and none was archived; None where none waits"]


class Sender(t.TypedDict):
    """A connection that the server sends WAL over."""

    pid: t.Annotated[int, "its process on the server"]
    user: t.Annotated[str | None, "role"]
    name: t.Annotated[str, "what the other end calls itself"]
    address: t.Annotated[str | None, "where the other end is"]
    streaming: t.Annotated[bool, "whether the other end has caught up and gets WAL as it is written"]
    copying: t.Annotated[bool, "whether a copy of the server's files is taken over it"]
    sent_lsn: t.Annotated[str | None, "sent"]
    flushed_lsn: t.Annotated[str | None, "on the other end's disk"]
    replay_lsn: t.Annotated[str | None, "replayed by the other end"]
    since: t.Annotated[float | None, "when it began, seconds since the epoch"]
    replay_lag_seconds: t.Annotated[float | None, "seconds until a commit was replayed there"]


class Slot(t.TypedDict):
    """What keeps WAL for a standby that is away."""

    name: t.Annotated[str, "its name"]
    physical: t.Annotated[bool, "whether it is one for a standby"]
    temporary: t.Annotated[bool, "whether it goes with its connection"]
    active: t.Annotated[bool, "whether it is in use"]
    active_pid: t.Annotated[int | None, "the process that uses it"]
    keeps_from: t.Annotated[str | None, "LSN from which on it keeps WAL"]
    lost: t.Annotated[bool, "whether WAL that it should have kept is gone"]
    wal: t.Annotated[str | None, "how the engine calls the state of its WAL"]
    safe_bytes: t.Annotated[int | None, "bytes that may be written before it is lost; None: no limit"]
    retained_bytes: t.Annotated[int | None, "bytes of WAL that it keeps"]
    plugin: t.Annotated[str | None, "what decodes the WAL for its consumer; None of one for a standby"]
    database: t.Annotated[str | None, "the database that is decoded, its number where its name is not known"]
    confirmed_lsn: t.Annotated[str | None, "LSN up to which its consumer has got everything"]
    two_phase: t.Annotated[bool, "whether its consumer gets prepared transactions"]
    failover: t.Annotated[bool, "whether standbys are to have it, too"]
    synced: t.Annotated[bool, "whether a standby has it from its master"]


class Receiver(t.TypedDict):
    """The connection that a standby gets WAL over."""

    status: t.Annotated[str | None, "how the engine calls what it does"]
    host: t.Annotated[str | None, "where the WAL comes from"]
    port: t.Annotated[int | None, "TCP port there"]
    slot: t.Annotated[str | None, "slot that it uses there"]
    flushed_lsn: t.Annotated[str | None, "on the disk here"]
    latest_end_lsn: t.Annotated[str | None, "the newest LSN that the other end has told of"]
    timeline: t.Annotated[int | None, "timeline that it gets"]
    silent_seconds: t.Annotated[float | None, "seconds since it last heard of the other end"]


class Mirroring(t.TypedDict):
    """A row of gp_master_mirroring."""

    summary_state: t.Annotated[str, "Not Configured, Synchronizing, Synchronized or Not Synchronized"]
    detail_state: t.Annotated[str | None, "what kind of trouble there is"]
    since: t.Annotated[float | None, "seconds since the epoch"]
    error_message: t.Annotated[str | None, "the trouble in words"]


class Mirror(Mirroring):
    """The same of one standby."""

    standby: t.Annotated[str | None, "its name"]


class Segment(t.TypedDict):
    """A row of gp_segment_configuration."""

    hostname: t.Annotated[str | None, "its host"]
    port: t.Annotated[int | None, "its TCP port"]
    status: t.Annotated[str | None, "u when it is well"]
    description: t.Annotated[str | None, "what is wrong with it"]


class Blocker(t.TypedDict):
    """A session that may hold the replay of WAL up."""

    pid: t.Annotated[int, "its process on the server"]
    user: t.Annotated[str | None, "role"]
    name: t.Annotated[str, "what it calls itself"]
    open_seconds: t.Annotated[float | None, "seconds that its transaction has been open"]


class Tablespace(t.TypedDict):
    """A tablespace of the master."""

    name: t.Annotated[str, "its name"]
    location: t.Annotated[str, "its directory"]


class Size(Tablespace):
    """How large one is."""

    bytes: t.Annotated[int, "bytes"]


class Need(t.TypedDict):
    """A library or a locale that the databases of a server need."""

    name: t.Annotated[str, "its name, the same on every host"]
    path: t.Annotated[str | None, "where it is when that is not the place of the engine's own libraries"]
    by: t.Annotated[list[str], "what needs it"]
    starts: t.Annotated[bool, "whether the server does not start, or gives no session, without it"]
    here: t.Annotated[bool | None, "whether the host of this server has it; None when the server does not say"]


class Sorting(t.TypedDict):
    """The rules that texts of a database are sorted by."""

    database: t.Annotated[str, "its name"]
    collation: t.Annotated[str | None, "a collation by name that an index has; None: the database's own"]
    provider: t.Annotated[str, "whose rules they are: libc, icu or builtin"]
    recorded: t.Annotated[str | None, "version that its indexes were made with, as it is written down"]
    actual: t.Annotated[str | None, "version of them that this server has; None of those that never change"]


class Unlogged(t.TypedDict):
    """Tables of a database that are in no WAL: they are empty on a new master."""

    database: t.Annotated[str, "the database"]
    names: t.Annotated[list[str], "some of them"]
    number: t.Annotated[int, "how many there are"]


class Needs(t.TypedDict):
    """What the databases of a server need of its host."""

    libraries: t.Annotated[list[Need], "libraries"]
    locales: t.Annotated[list[Need], "locales"]
    sorting: t.Annotated[list[Sorting], "the rules that texts are sorted by"]
    unlogged: t.Annotated[list[Unlogged], "tables that are in no WAL, and not empty"]
    unasked: t.Annotated[list[str], "databases that were not asked for functions and collations: there was no time"]


class Server(t.TypedDict):
    """What a running server says of itself in a session."""

    standby: t.Annotated[bool, "whether it replays a master's WAL"]
    system_identifier: t.Annotated[str, "what all copies of one database system share"]
    database: t.Annotated[str, "the database that it was asked in"]
    started: t.Annotated[float, "seconds since the epoch"]
    timeline: t.Annotated[int | None, "the timeline that it writes, or replays as far as that can be told"]
    checkpoint_timeline: t.Annotated[int, "timeline of its last checkpoint"]
    current_lsn: t.Annotated[str | None, "where a master writes"]
    have_lsn: t.Annotated[str | None, "up to where a standby has WAL"]
    replay_lsn: t.Annotated[str | None, "up to where a standby has replayed it"]
    replay_paused: t.Annotated[bool, "whether its replay is paused"]
    replay_age_seconds: t.Annotated[float | None, "seconds since the commit that it replayed last"]
    last_commit_at: t.Annotated[float | None, "when that was committed, seconds since the epoch; None of a master"]
    replay_blocked: t.Annotated[bool, "whether its replay waits until sessions let go of what it needs"]
    blockers: t.Annotated[
        list[Blocker], "sessions that it waits for, or may wait for, the one that is open the longest first"
    ]
    sessions_free: t.Annotated[int, "sessions that can still be opened beside those that are open"]
    clients: t.Annotated[int, "sessions of clients that are open, without ours"]
    settings: t.Annotated[Settings, "how it runs"]
    pending_restart: t.Annotated[list[str], "settings whose configured value waits for a restart"]
    configured: t.Annotated[dict[str, Configured], "settings in effect that are not the default, by name"]
    configuration_errors: t.Annotated[list[str], "what a start would be refused for, with file and line"]
    archiver: t.Annotated[Archiver | None, "how WAL is archived"]
    kept_wal_mark: t.Annotated[str | None, "the limit of kept WAL that this collection has set, and what was before"]
    access_stale: t.Annotated[bool, "whether the access file has changed since it was read"]
    access_rules: t.Annotated[str | None, "digest of the rules who may connect"]
    lets_clients_in: t.Annotated[
        bool | None, "whether these let anybody in from another host, beside what this collection has added"
    ]
    senders: t.Annotated[list[Sender], "connections that it sends WAL over"]
    slots: t.Annotated[list[Slot], "what it keeps WAL for"]
    receiver: t.Annotated[Receiver | None, "the connection that it gets WAL over"]
    wal_bytes: t.Annotated[int | None, "bytes of WAL on its disk"]
    oldest_wal: t.Annotated[str, "LSN from which on it has WAL"]
    wal_since_checkpoint: t.Annotated[int | None, "bytes of WAL that a master wrote since its last checkpoint"]
    checkpoint_age_seconds: t.Annotated[float | None, "seconds since then"]
    tablespaces: t.Annotated[list[Tablespace], "tablespaces with a directory of their own"]
    sizes: t.Annotated[list[Size] | None, "all tablespaces; None while they were not measured"]
    databases: t.Annotated[list[str], "databases that let sessions in"]
    database_names: t.Annotated[dict[str, str], "name of each of them by its number"]
    standbys: t.Annotated[list[str], "standbys that are registered with the master"]
    master_name: t.Annotated[str | None, "the master's name in the views"]
    rewind_roles: t.Annotated[list[str], "roles that a rewind has left"]
    mirroring: t.Annotated[Mirroring | None, "the row of gp_master_mirroring; None without the view"]
    mirrors: t.Annotated[list[Mirror], "the same of each standby"]
    segments: t.Annotated[list[Segment], "the rows of gp_segment_configuration"]
    needs: t.Annotated[Needs | None, "what its databases need of the host; None when it does not say that now"]


class Offers(t.TypedDict):
    """What a host has of what the databases of another one's server may need."""

    directory: t.Annotated[str | None, "the place of the engine's own libraries; None without such a place"]
    libraries: t.Annotated[list[str] | None, "libraries in the place of the engine's own; None without such a place"]
    paths: t.Annotated[dict[str, bool], "whether further libraries are there that were asked for, by their path"]
    broken: t.Annotated[dict[str, str], "libraries that cannot be loaded there, each with the reason"]
    locales: t.Annotated[list[str] | None, "locales; None when they cannot be told, or the server is asked itself"]
    versions: t.Annotated[dict[str, str], "versions of libc and icu; none when the server is asked itself"]


class Observation(t.TypedDict):
    """All that there is to know of a host that could be looked at."""

    reachable: t.Annotated[bool, "true"]
    clock: t.Annotated[float, "the host's own clock when it was looked at: since its boot, sleep included", "seconds"]
    engine: t.Annotated[str, "key of the engine in the table of capabilities"]
    endpoint: t.Annotated[Endpoint, "where its server is or would be reached"]
    machine: t.Annotated[Machine, "the host"]
    user: t.Annotated[User, "who owns the server"]
    blocks: t.Annotated[Blocks, "our lines in files that others write, too"]
    ssh: t.Annotated[Ssh, "public SSH keys"]
    binaries: t.Annotated[Binaries, "the engine's programs"]
    data_directory: t.Annotated[DataDirectory, "the data directory"]
    control: t.Annotated[Control | None, "what the data says of its last server; None when it cannot be read"]
    histories: t.Annotated[
        dict[str, list[list[t.Any]]], "timeline and end (LSN) of each ancestor, by the number of the timeline"
    ]
    process: t.Annotated[Process, "the server's process"]
    service: t.Annotated[Service, "the server's unit"]
    run_by: t.Annotated[str | None, "unit of systemd whose main process the server is; None where it is no unit's"]
    rivals: t.Annotated[list[Rival], "other units that would start a server in this data directory at boot"]
    elsewhere: t.Annotated[
        Elsewhere | None, "the server that the inventory means and does not name the data directory of; None: no such"
    ]
    follows: t.Annotated[Follows, "the server that the data is told to replicate from"]
    follows_slot: t.Annotated[str, "the slot that it is told to use there"]
    credentials: t.Annotated[Credentials, "the replication password"]
    configuration: t.Annotated[Configuration, "the configuration directory"]
    snapshot: t.Annotated[Snapshot, "the snapshot job"]
    programs: t.Annotated[dict[str, Program], "the collection's own programs"]
    earlier: t.Annotated[list[str], "files that earlier versions of the collection have left"]
    views: t.Annotated[Views, "the extension that has the views"]
    listening: t.Annotated[bool, "whether anything listens on the server's port"]
    bound: t.Annotated[list[str], "the addresses at which anything does"]
    probes: t.Annotated[dict[str, Probe], "what comes back from each peer's port"]
    asks: t.Annotated[dict[str, Ask], "whether each other master host would answer before a start as a master"]
    virtual_ip: t.Annotated[VirtualIp | None, "the address that follows the master; None without any"]
    witness: t.Annotated[Witness | None, "what a segment remembers of the master"]
    witness_damage: t.Annotated[str | None, "why what it has written down cannot be believed; None otherwise"]
    ledger: t.Annotated[Ledger | None, "the record of a witness; None where there is none"]
    guard: t.Annotated[Guard | None, "the guard of a master host; None where none is installed"]
    slot_files: t.Annotated[list[Slot], "slots in the data of a server that gives no session"]
    directories: t.Annotated[list[Directory], "directories that tablespaces of the master would need here"]
    named: t.Annotated[
        list[NamedPlace], "files and directories that its configuration names and that would not do at its next start"
    ]
    offers: t.Annotated[Offers, "what the host has of what databases may need"]
    trial: t.Annotated[Trial | None, "what a dry start with its master's configuration has shown; None while not tried"]
    tablespaces: t.Annotated[list[Space], "places of the tablespaces of its data"]
    server: t.Annotated[Server | None, "what the server says of itself; None when no session was possible"]
    server_error: t.Annotated[str | None, "why none was possible"]
    server_damage: t.Annotated[str | None, "what the server or its log says of damaged data; None otherwise"]
    wal_end: t.Annotated[
        str | None,
        "LSN up to which a standby without a session, or a fenced master, holds WAL, from its files; None otherwise",
    ]
    wal_age_seconds: t.Annotated[float | None, "seconds since WAL was last written to its disk"]


class _Unreachable(t.TypedDict):
    reachable: t.Annotated[bool, "false"]
    error: t.Annotated[str, "why"]


class Unreachable(_Unreachable, total=False):
    """All that there is to know of a host that could not be looked at."""

    mend: t.Annotated[str, "what mends that, where it is known: mostly the host is on and lets the controller not in"]
    unresolved: t.Annotated[str, "the name that the controller cannot resolve, where that is why: it may be misspelt"]


#: By host, in the inventory's order. An Unreachable may stand for any: ``topology.kind`` is asked before all else.
Observations = dict[str, Observation]
Hosts = dict[str, Endpoint]
