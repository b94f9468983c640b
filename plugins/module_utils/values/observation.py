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


class Blocks(t.TypedDict):
    """Our lines in files that others write, too; None where there are none."""

    limits: t.Annotated[list[str] | None, "in the limits of the user"]
    profile: t.Annotated[list[str] | None, "in the login profile of the user"]
    access: t.Annotated[list[str] | None, "in the access file: the lines that let the other hosts replicate"]
    segments: t.Annotated[list[str] | None, "in the access file: the lines that let the segments in"]


class Ssh(t.TypedDict):
    """Public SSH keys."""

    public_key: t.Annotated[str | None, "that of the server's user"]
    authorized: t.Annotated[list[str], "those that the user lets in"]
    restricted: t.Annotated[list[str], "those of them that are good for the questions of another master host only"]
    known: t.Annotated[list[str], "those that the user expects of other hosts"]
    host_keys: t.Annotated[list[str], "those of this host"]


class Binaries(t.TypedDict):
    """The engine's programs."""

    directory: t.Annotated[str, "where they are looked for"]
    missing: t.Annotated[list[str], "those that are not there"]
    version: t.Annotated[str | None, "the server's version"]
    major: t.Annotated[int | None, "the server's major version"]
    client_library: t.Annotated[bool, "whether the library that sessions need is there"]


class DataDirectory(t.TypedDict):
    """The data directory and the room around it."""

    path: t.Annotated[str, "where it is or would be"]
    real_path: t.Annotated[str, "the same without symbolic links"]
    mount_point: t.Annotated[bool, "whether a file system is mounted right there"]
    unmounted: t.Annotated[str | None, "a mount point at or above it that nothing is mounted at; None where all is"]
    link: t.Annotated[bool, "whether it is a symbolic link"]
    state: t.Annotated[t.Literal["missing", "empty", "data", "other"], "data is a server's; other is somebody's files"]
    entries: t.Annotated[list[str], "its first five names"]
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
    free_bytes: t.Annotated[int, "bytes free on its file system"]
    used_bytes: t.Annotated[int, "bytes used on its file system"]
    total_bytes: t.Annotated[int, "bytes of its file system"]
    wal_free_bytes: t.Annotated[int, "bytes free on the file system of its WAL"]
    parent_exists: t.Annotated[bool, "whether the directory above it is there"]
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


class PidFile(t.TypedDict, total=False):
    """What the server's own file says of its process."""

    pid: t.Annotated[int, "process"]
    started: t.Annotated[int, "seconds since the epoch"]
    data_directory: t.Annotated[str, "directory it works in"]
    port: t.Annotated[int, "TCP port"]


class Process(t.TypedDict):
    """The server's process."""

    running: t.Annotated[bool, "whether there is one that works in this data directory"]
    pid: t.Annotated[int | None, "its number"]
    frozen: t.Annotated[bool, "whether it is stopped by a signal"]
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
    text: t.Annotated[str | None, "its file"]
    waits_for: t.Annotated[str | None, "what its start waits for, as the unit says; None while it waits for nothing"]


class Follows(t.TypedDict):
    """The server that the data directory is told to replicate from; None of what it is not told."""

    host: t.Annotated[str | None, "host name or address"]
    port: t.Annotated[int | None, "TCP port"]
    user: t.Annotated[str | None, "role"]


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
    at_least: t.Annotated[
        dict[str, str],
        "what it asks for of the settings that a standby may not have less of than its master; empty while a session"
        " tells what the server has",
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
    taken: t.Annotated[bool | None, "whether anybody else answers for it; None when that was not asked"]


class Witness(t.TypedDict):
    """What a segment remembers of the master that it last reached."""

    master: t.Annotated[str, "its name"]
    timeline: t.Annotated[int | None, "its timeline"]
    lsn: t.Annotated[str | None, "its LSN"]
    summary_state: t.Annotated[str, "the mirroring state that it showed"]
    at: t.Annotated[float, "seconds since the epoch"]
    system_identifier: t.Annotated[str | None, "the master's system; None when it was not written down"]


class Directory(t.TypedDict):
    """A directory that a tablespace of the master would need here."""

    path: t.Annotated[str, "where"]
    entries: t.Annotated[list[str], "its first five names"]
    foreign: t.Annotated[bool, "whether there are files in it that are not a tablespace's"]
    free_bytes: t.Annotated[int, "bytes free on its file system"]
    device: t.Annotated[int, "number of its file system"]


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
    harmful: t.Annotated[dict[str, str], "settings that would end or delay a recovery, and what they should be"]
    by_restart: t.Annotated[dict[str, str], "settings that only a restart changes, as they are"]


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


class Server(t.TypedDict):
    """What a running server says of itself in a session."""

    standby: t.Annotated[bool, "whether it replays a master's WAL"]
    system_identifier: t.Annotated[str, "what all copies of one database system share"]
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
    access_stale: t.Annotated[bool, "whether the access file has changed since it was read"]
    access_rules: t.Annotated[str | None, "digest of the rules who may connect"]
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
    standbys: t.Annotated[list[str], "standbys that are registered with the master"]
    master_name: t.Annotated[str | None, "the master's name in the views"]
    rewind_roles: t.Annotated[list[str], "roles that a rewind has left"]
    mirroring: t.Annotated[Mirroring | None, "the row of gp_master_mirroring; None without the view"]
    mirrors: t.Annotated[list[Mirror], "the same of each standby"]
    segments: t.Annotated[list[Segment], "the rows of gp_segment_configuration"]


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
    follows: t.Annotated[Follows, "the server that the data is told to replicate from"]
    follows_slot: t.Annotated[str, "the slot that it is told to use there"]
    credentials: t.Annotated[Credentials, "the replication password"]
    configuration: t.Annotated[Configuration, "the configuration directory"]
    snapshot: t.Annotated[Snapshot, "the snapshot job"]
    programs: t.Annotated[dict[str, Program], "the collection's own programs"]
    views: t.Annotated[Views, "the extension that has the views"]
    listening: t.Annotated[bool, "whether anything listens on the server's port"]
    probes: t.Annotated[dict[str, Probe], "what comes back from each peer's port"]
    asks: t.Annotated[dict[str, Ask], "whether each other master host would answer before a start as a master"]
    virtual_ip: t.Annotated[VirtualIp | None, "the address that follows the master; None without any"]
    witness: t.Annotated[Witness | None, "what a segment remembers of the master"]
    witness_damage: t.Annotated[str | None, "why what it has written down cannot be believed; None otherwise"]
    directories: t.Annotated[list[Directory], "directories that tablespaces of the master would need here"]
    server: t.Annotated[Server | None, "what the server says of itself; None when no session was possible"]
    server_error: t.Annotated[str | None, "why none was possible"]
    server_damage: t.Annotated[str | None, "what the server or its log says of damaged data; None otherwise"]
    wal_end: t.Annotated[
        str | None, "LSN up to which a standby that gives no session holds WAL, read from its files; None otherwise"
    ]
    wal_age_seconds: t.Annotated[float | None, "seconds since WAL was last written to its disk"]


class Unreachable(t.TypedDict):
    """All that there is to know of a host that could not be looked at."""

    reachable: t.Annotated[bool, "false"]
    error: t.Annotated[str, "why"]


#: By host, in the inventory's order. An Unreachable may stand for any: ``topology.kind`` is asked before all else.
Observations = dict[str, Observation]
Hosts = dict[str, Endpoint]
