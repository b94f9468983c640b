# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The routes by name, and what they are judged by. Pure."""

from __future__ import annotations

import typing as t

from ...engines import table
from ...values import history
from .. import newer, topology
from ..options import Options

NONE, START, FOLLOW, REWIND, DELTA, SNAPSHOT = "none", "start", "follow", "rewind", "delta", "snapshot"


ROUTES = (NONE, START, FOLLOW, REWIND, DELTA, SNAPSHOT)


#: ways that write into the old data, and those that only start a server with it
IN_PLACE, STARTED = (REWIND, DELTA), (NONE, START, FOLLOW)


class Case(t.NamedTuple):
    """What the routes are judged by."""

    name: str
    seen: topology.Observation
    source: topology.Observation
    slot: str
    #: where the histories part, or None while they do not
    fork: history.Fork | None
    #: what divergence_info found on the host, or None while it was not asked
    found: dict[str, t.Any] | None
    #: routes that have failed in this run, with the reason
    failed: dict[str, str]
    options: Options
    #: whether both histories can be read and have the same beginning, so that no fork means one history
    history_known: bool
    #: what it has that is newer than what the master has; None when nothing is known to be
    newer: newer.Newer | None = None

    @property
    def standby(self) -> bool:
        """Whether it is, or was when it stopped, a standby; not a former master that has yet to follow the new one."""
        directory = self.seen["data_directory"]
        # without timelines nobody can tell whether its history parts from the master's
        may_part = self.fork is not None or not table.of(self.source).timelines
        return topology.is_standby(self.seen) and not (directory["fenced"] and not directory["removed"] and may_part)

    @property
    def have(self) -> str | None:
        """The LSN up to which it holds WAL, as far as is known without reading that."""
        return topology.end(self.seen)

    @property
    def damage(self) -> str:
        """Why its server cannot work with its data as it is, as was seen or as its start in this run has shown."""
        if self.seen["server_damage"]:
            return f"its data is damaged: {self.seen['server_damage']}"
        return next((self.failed[route] for route in STARTED if route in self.failed), "")
