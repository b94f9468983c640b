# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For whom a master's commits wait, and what it asks of its witnesses before that changes. Pure.

The guard keeps nothing that must not be lost: what is set, what was asked and what was granted are read again before each step, so that
it may be killed anywhere. One step changes one thing, and the next one sees whether that has happened.

This file is installed on the master hosts beside the guard's program: it imports nothing but the ledger and the library.
"""

from __future__ import annotations

import typing as t

from ..values import ledger
from ..values.ledger import Wish

ALONE, ARMING, SYNCHRONOUS, DEGRADING = "ALONE", "ARMING", "SYNCHRONOUS", "DEGRADING"
#: options of mirroring_mode
Mode = t.Literal["asynchronous", "synchronous", "strict"]


class Waits(t.NamedTuple):
    """For how many of which standbys commits wait. Without names: for nobody, and therefore for ever."""

    count: int
    names: tuple[str, ...]


#: what a standby has before it is activated, so that the new master acknowledges nothing before its witnesses know of it
HELD = Waits(1, ())


class Standby(t.NamedTuple):
    """A standby as the master sees it."""

    name: str
    #: connected, and following
    streaming: bool
    #: how far it has written to its disk, as it says
    flushed: int
    #: whether the master counts it among those that commits wait for
    counted: bool


class Grant(t.NamedTuple):
    """What a witness has told the master: its newest grant, and its newest refusal."""

    witness: str
    #: number of the newest wish of this run that it has granted; 0 for none
    number: int
    reason: ledger.Reason = ""
    #: the timeline and the number that it named when it refused
    told_timeline: int = 0
    told_number: int = 0


class Inherited(t.NamedTuple):
    """What the promises told that this run was begun by."""

    #: the highest number of a wish
    number: int = 0
    #: the lists of witnesses of which a majority has promised
    witnesses: tuple[tuple[str, ...], ...] = ()


class Seen(t.NamedTuple):
    """What the guard sees before each step, read in the order of these fields."""

    #: a monotonic clock, and the calendar's for what people read
    now: float
    at: float
    mode: Mode
    degrade_after: float
    count: int
    master: str
    timeline: int
    #: what is set; None when no commit waits
    setting: Waits | None
    #: whether it is written in somebody else's way
    foreign: bool
    #: whether whatever commits from now on obeys it
    spread: bool
    #: how far the master has written, read after ``spread``: whatever was acknowledged without waiting lies before it
    position: int
    lsn: str
    standbys: tuple[Standby, ...]
    #: those that planned work is about to take away
    leaving: tuple[str, ...]
    #: the wishes of this run from the newest granted one on, oldest first
    wishes: tuple[Wish, ...]
    grants: tuple[Grant, ...]
    #: the witnesses that are registered now
    witnesses: tuple[str, ...]
    inherited: Inherited = Inherited()
    #: the number of a wish that counts as granted by the operator's word
    word: int = 0


class Owed(t.NamedTuple):
    """Up to where a standby must have come, and since when."""

    name: str
    position: int
    since: float


class Memory(t.NamedTuple):
    """What the guard remembers from step to step, and may forget."""

    owed: tuple[Owed, ...] = ()
    #: a position read after all obeyed this setting
    mark: int | None = None
    marked: Waits | None = None


class Act(t.NamedTuple):
    """What the guard does. At most one of ``ask`` and ``set`` is not None."""

    state: str
    why: str
    #: the wish to write down on the master
    ask: Wish | None = None
    #: what to set: (None,) for nothing to wait for
    set: tuple[Waits | None] | None = None
    #: the line of history that goes with it
    line: str | None = None
