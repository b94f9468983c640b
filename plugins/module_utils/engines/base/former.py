# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verbs for a host whose server must end, and for its way back."""

from __future__ import annotations

import typing as t

from ...host.module import Instance
from ...host.run import Runner
from ...values.history import Part

Result = dict[str, t.Any]
#: tells the operator something that is no failure
Warn = t.Callable[[str], None]


class Former(t.Protocol):
    """Ending a server, saving what only it has, and bringing it back."""

    def fence(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        reason: str,
        was: str,
        by: str | None,
        still: str | None,
        address: dict[str, str],
        offer: dict[str, t.Any] | None,
        accept_loss: bool,
        drain: int,
        timeout: int,
        warn: Warn,
    ) -> Result:
        """End the server and see to it that it never accepts writes again, now or after its next boot.

        ``by`` is the run that does it; a record of another one's becomes its own. ``still`` is what the server was when
        that was judged (master or standby). Sessions get ``drain`` seconds to end, a fast shutdown ``timeout``; then it
        is killed. The address is taken off this host. ``offer`` says how far the standby is; what that lacks is
        returned as salvage_offered does. Raises when the server is something else by now, when it does not die, and
        when WAL cannot be read, unless that loss is accepted.
        """

    def stop(self, instance: Instance, run: Runner, act: bool, *, still: str | None, timeout: int) -> Result:
        """End the server without a word about its future. Raises when it is something else by now, or does not die."""

    def unfence(self, instance: Instance, run: Runner, act: bool, *, by: str, unasked: bool) -> Result:
        """Start a server that this run (``by``) has fenced as a master again.

        It asks the other hosts before, and waits for those that do not answer unless ``unasked``. Raises when another
        run has fenced it, or made it a standby.
        """

    def lift_fence(self, instance: Instance, act: bool, *, slots: list[str], timeout: int) -> Result:
        """Forget the fence of a server that streams again, and drop its slots, with those of others that are named.

        Raises when it does not stream.
        """

    def salvage_offered(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        after: str,
        have: str,
        timeline: int,
        known: str | None,
        known_from: str,
        accept_loss: bool,
        timeout: int,
    ) -> Result:
        """Say which WAL files of a fenced server a standby lacks that has replayed up to ``after`` and holds ``have``.

        Raises when some of it cannot be read (up to ``known``, if that is known), unless that loss is accepted.
        ``known_from`` is what people are told of who alone knows that.
        """

    def salvage_fetched(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        offer: dict[str, t.Any],
        address: str,
        port: int,
        unit: str,
        timeout: int,
    ) -> Result:
        """Get the offered files from the old master's host by SSH."""

    def salvage_given(self, instance: Instance, *, name: str, offset: int) -> Result:
        """Return a piece of an offered file as ``content``, for a host that cannot fetch it."""

    def salvage_taken(
        self, instance: Instance, act: bool, *, offer: dict[str, t.Any], name: str, offset: int, content: str
    ) -> Result:
        """Put such a piece where fetched files are. Raises when a whole file is not what was offered."""

    def salvage_installed(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        offer: dict[str, t.Any],
        have: str,
        accept_loss: bool,
        timeout: int,
    ) -> Result:
        """Let the standby replay the fetched files; it is restarted for that. The time runs while nothing moves."""

    def keep_lost(
        self, instance: Instance, run: Runner, act: bool, *, history: list[Part], divergence: dict[str, t.Any]
    ) -> Result:
        """Keep the WAL that only this host has (as ``examine`` said) in a directory beside its data."""

    def rewind(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        primary: dict[str, t.Any],
        role: str,
        passfile: str,
        password_of: str,
        fork: str,
        history: list[Part],
        timeout: int,
    ) -> Result:
        """Take a stopped, diverged server back to the fork, as a standby. Once only. Why not is told, not raised."""

    def delta(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        primary: dict[str, t.Any],
        role: str,
        slot: str,
        tablespace_mapping: dict[str, str],
        checkpoint: str,
        rate_limit: str,
        timeout: int,
    ) -> Result:
        """Make a stopped server's directory a verified copy of the master's, anew each time. Why not is told."""

    def discard(self, instance: Instance, run: Runner, act: bool, *, system_identifier: str) -> Result:
        """Delete a removed standby's data. Raises unless it is marked, stopped, and a copy of that system."""
