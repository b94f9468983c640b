# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The model: hosts with power, disks and units, servers with their data, cables, and what clients have been promised.

Nothing random and no clock: the same steps lead to the same world. Time is a number that steps add to.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .wal import USUAL, Catalog, Record

EPOCH = 1795428856.0
CONTROLLER = "controller"
#: max_connections as it comes
CONNECTIONS = 100
SYSTEM = "7711308009646152291"


@dataclass(slots=True)
class Slot:
    """A replication slot: from where on WAL is kept, and whether it is lost."""

    keeps: int
    lost: bool = False


@dataclass(slots=True)
class Fence:
    """The record that says that a server must not accept writes."""

    reason: str
    #: which run has made it, and the timeline of the data then; a record of an older version tells neither
    run: str
    timeline: int | None
    was: str = "master"


@dataclass(slots=True)
class Data:
    """A data directory."""

    end: Record
    replayed: Record
    #: the last checkpoint or restartpoint, which the control file names
    checkpoint: Record
    histories: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    clean: bool = False
    as_master: bool = True
    signal: bool = False
    fence: Fence | None = None
    unstarted: bool = False
    unfinished: bool = False
    follows: str | None = None
    slot: str = ""
    #: max_connections: as it is configured, and as the control file says that a standby needs at least
    connections: int = CONNECTIONS
    needs: int = CONNECTIONS
    slots: dict[str, Slot] = field(default_factory=dict)
    #: our lines in the access file, which let the other hosts replicate
    access: tuple[str, ...] | None = None
    #: WAL before this position is removed
    floor: int = 0

    def copy(self) -> Data:
        """Return the same again; records never change and are shared."""
        found = replace(
            self, histories=dict(self.histories), slots={name: replace(row) for name, row in self.slots.items()}
        )
        found.fence = replace(self.fence) if self.fence else None
        return found

    @property
    def fenced(self) -> bool:
        """Whether a record forbids that it becomes a master; of what has followed a newer timeline it does not."""
        return self.fence is not None and not (
            self.fence.timeline is not None and self.end.timeline > self.fence.timeline
        )

    @property
    def newest(self) -> int:
        """The newest timeline that control file or history files tell of."""
        return max([self.checkpoint.timeline, *self.histories])


@dataclass(slots=True)
class Server:
    """A running server."""

    standby: bool
    started: float
    connections: int
    frozen: bool = False
    paused: bool = False
    #: replay has paused by itself, since a setting is below the master's
    short: bool = False
    #: a query holds replay up
    blocked: bool = False
    #: other sessions have taken all there are
    crowded: bool = False
    promoting: bool = False


@dataclass(slots=True)
class Unit:
    """The server's unit: as systemd has it."""

    enabled: bool = True
    active: str = "inactive"
    #: until when one start is permitted that cannot ask everybody
    permitted: float | None = None
    waits: str | None = None


@dataclass(slots=True)
class Snapshot:
    """A copy that is made in the background, or is ready to be moved into place."""

    phase: str
    source: str
    copy: Data | None = None


@dataclass(slots=True)
class Host:
    """A machine."""

    name: str
    #: the data directory that can be seen; what is on a file system that is not mounted
    data: Data | None = None
    hidden: Data | None = None
    server: Server | None = None
    on: bool = True
    mounted: bool = True
    unit: Unit = field(default_factory=Unit)
    #: the record that its WAL ended with last time, and since when
    written: Record | None = None
    written_at: float = EPOCH
    snapshot: Snapshot | None = None
    #: data and WAL that was put aside, as rows that can still be read there
    kept: int = 0
    boots: int = 0
    interlock: bool = True
    #: run that changes this host now
    lock: t.Any = None
    #: an earlier state of the data directory, as a copy of files
    copied: Data | None = None
    removed_on_purpose: bool = False

    #: what the unit's log says last
    log: str = ""


@dataclass(slots=True)
class Link:
    """A connection that a standby gets WAL over."""

    standby: str
    master: str
    silent_since: float | None = None
    #: WAL is written and does not come over yet
    held: bool = False
    #: the newest position that the standby has heard of
    told: int = 0
    #: the master has less than the standby, and sends all the same
    set_back: bool = False


@dataclass(slots=True)
class Memory:
    """What a segment remembers of the master."""

    master: str
    timeline: int
    lsn: int
    state: str
    at: float


class Row(t.NamedTuple):
    """A row that a client was promised, and whether the standby was connected when it was."""

    host: str
    at: float
    connected: bool


class World:
    """Everything that there is."""

    __slots__ = (
        "accepted",
        "alone",
        "cut",
        "hosts",
        "links",
        "memories",
        "now",
        "rows",
        "segments",
        "serial",
        "told",
        "words",
        "wrong",
    )

    def __init__(self, hosts: t.Iterable[str], segments: t.Iterable[str] = ()) -> None:
        """Begin with hosts that have nothing."""
        self.hosts = {name: Host(name) for name in hosts}
        self.segments = tuple(segments)
        self.memories: dict[str, Memory] = {}
        self.links: list[Link] = []
        #: pairs of places that do not reach each other
        self.cut: set[frozenset[str]] = set()
        self.now = EPOCH
        self.serial = 0
        self.rows: list[Row] = []
        #: rows that the operator has given up with a named variable, and rows whose loss a report has told of
        self.accepted = 0
        self.told = 0
        #: why there may be two masters or a loss that is nobody's fault but a human's
        self.wrong: list[str] = []
        #: whether the standby was removed on purpose
        self.alone = False
        #: what has happened, in words
        self.words: list[str] = []

    def copy(self) -> World:
        """Return the same again, which lives on by itself; runs that go on are not in it."""
        other = World((), self.segments)
        for name, host in self.hosts.items():
            twin = replace(host, unit=replace(host.unit), lock=None)
            twin.data = host.data.copy() if host.data else None
            twin.hidden = host.hidden.copy() if host.hidden else None
            twin.server = replace(host.server) if host.server else None
            twin.snapshot = replace(host.snapshot) if host.snapshot else None
            other.hosts[name] = twin
        other.memories = dict(self.memories)
        other.links = [replace(link) for link in self.links]
        other.cut, other.now, other.serial = set(self.cut), self.now, self.serial
        other.rows, other.accepted, other.told = list(self.rows), self.accepted, self.told
        other.wrong, other.words, other.alone = list(self.wrong), list(self.words), self.alone
        return other

    def reaches(self, one: str, other: str) -> bool:
        """Whether two places reach each other: both are on, and the cable between them is whole."""
        on = all(name not in self.hosts or self.hosts[name].on for name in (one, other))
        return on and frozenset((one, other)) not in self.cut

    def append(
        self,
        before: Record | None,
        timeline: int,
        *,
        size: int = USUAL,
        row: int | None = None,
        catalog: Catalog | None = None,
        needs: int | None = None,
        checkpoint: bool = False,
    ) -> Record:
        """Write a record."""
        self.serial += 1
        catalog = catalog if catalog is not None else before.catalog if before else Catalog()
        needs = needs if needs is not None else before.needs if before else CONNECTIONS
        return Record(self.serial, before, timeline, size, row, catalog, needs, checkpoint)

    def writers(self) -> list[str]:
        """Return the hosts that acknowledge commits now."""
        return [
            name
            for name, host in self.hosts.items()
            if host.server and not host.server.standby and not host.server.frozen
        ]

    def link_of(self, standby: str) -> Link | None:
        """Return the connection of a standby."""
        return next((link for link in self.links if link.standby == standby), None)

    def say(self, sentence: str) -> None:
        """Add a sentence to the story."""
        self.words.append(sentence)
