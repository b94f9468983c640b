# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an act is given."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..failure import ActFailed
from ..playbook import Task
from ..world import Data, Host, Server, World

if t.TYPE_CHECKING:
    from ..run import Run

Result = dict[str, t.Any]
#: it yields where it may be left, with what it has done until then
Work = t.Generator[str, None, Result]
#: one that is done in a moment returns its result at once
Act = t.Callable[["Call"], t.Union[Work, Result]]


@dataclass(slots=True)
class Call:
    """A task on a host."""

    run: Run
    task: Task
    world: World
    host: Host

    @property
    def plan(self) -> dict[str, t.Any]:
        """The plan that holds now."""
        return self.run.plan

    def data(self) -> Data:
        """Return the data directory, which has to be there."""
        if self.host.data is None:
            raise ActFailed("the data directory does not exist: run the whole playbook again")
        return self.host.data

    def session(self) -> Server:
        """Return the server, which has to give a session."""
        server = self.host.server
        if server is None or server.frozen or server.crowded:
            raise ActFailed(f"no session with the server on {self.host.name}")
        return server

    def alone(self) -> None:
        """Take the host's lock: a module of another run ends first (``host.lock``)."""
        while self.host.lock not in (None, self.run):
            other: Run = self.host.lock
            if other.ended or other.inside != self.host.name:
                break
            other.step()
        self.host.lock = self.run
