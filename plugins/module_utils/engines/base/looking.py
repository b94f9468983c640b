# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verbs that change nothing."""

from __future__ import annotations

import typing as t

from ...host.module import Instance
from ...host.run import Runner
from ...values.history import Part

if t.TYPE_CHECKING:
    from ...values.observation import Observation

Result = dict[str, t.Any]


class Looking(t.Protocol):
    """What an engine tells of a host and its server."""

    def observe(
        self,
        instance: Instance,
        run: Runner,
        *,
        peers: list[dict[str, t.Any]],
        directories: list[str],
        libraries: list[str],
        replication: dict[str, t.Any],
        virtual_ip: dict[str, str],
        view_databases: list[str],
        sizes: bool,
        version: int = 0,
    ) -> Observation:
        """Return the whole truth about a host in neutral words. No running server is needed; a sick one raises nothing.

        ``peers`` (name, address, port) are probed; ``directories`` are where tablespaces would go, and
        ``libraries`` are files that a server would load; ``replication`` has
        role and password file, ``virtual_ip`` address and interface; ``view_databases`` are looked into for the views.
        With ``sizes`` the bytes of data and tablespaces are measured. ``version`` is the major version that the
        inventory names, 0 when none: where the instance has no directory of programs, theirs is found by it.
        """

    def binaries(self, run: Runner, directory: str, wanted: int) -> Result:
        """Say which of the engine's programs are in a directory, and what is wrong with them for a major version.

        Without a directory the place of the host's packages is looked for; 0 stands for any version.
        """

    def packages(self, version: int) -> Result:
        """Say what the packages with a major version are called on this host; 0 stands for the distribution's own."""

    def start_files(self, instance: Instance) -> Result:
        """Return the files that a server reads before all others when it starts, for a dry start elsewhere."""

    def dry_start(
        self, instance: Instance, run: Runner, *, source: dict[str, t.Any], settings: dict[str, t.Any]
    ) -> Result:
        """Return as ``trial`` what a server would say here that started with these files of its master.

        ``settings`` are those that it would be told beside. Nothing is left behind.
        """

    def mirroring(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        wait_for: str | None,
        standby: str | None,
        timeout: int,
        advice: str,
    ) -> Result:
        """Return the state of mirroring as clients of the master see it, of one standby or of the worst.

        Waits at most ``timeout`` seconds for a state, for a session, or for a standby that is recovering, with sessions
        or without; raises with ``advice`` when it does not come, and at once when the answer is final: the server has
        stopped, its data is damaged (said as ``damaged``), its replay cannot go on with its settings, or it gives no
        sessions by its configuration. Without ``act`` it asks once.
        """

    def segments(self, instance: Instance, act: bool, *, wait_for: list[str], timeout: int) -> Result:
        """Return the segments, when those of these hosts have registered with this master or the time is up."""

    def progress(self, instance: Instance) -> Result | None:
        """Return how far another host's snapshot or delta is: ``phase``, ``streamed_bytes``, ``total_bytes``."""

    def relations(self, instance: Instance, relations: list[str]) -> list[str]:
        """Name the relations of these numbers (tablespace/database/file); system catalogs are left out."""

    def examine(
        self,
        instance: Instance,
        run: Runner,
        history: list[Part],
        fork: str,
        timeout: int,
        *,
        reached: str | None = None,
    ) -> Result:
        """Return what a stopped server has beyond the LSN at which its history leaves its master's.

        ``history`` is its own, oldest first. Reading stops after ``timeout`` seconds for each timeline, and says so.
        """
