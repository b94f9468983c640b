# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verbs for a host that is, or becomes, the master."""

from __future__ import annotations

import typing as t

from ...host.module import Instance
from ...host.run import Runner

Result = dict[str, t.Any]
#: tells the operator something that is no failure
Warn = t.Callable[[str], None]


class Master(t.Protocol):
    """The life of a master."""

    def make_system(
        self, instance: Instance, run: Runner, act: bool, *, locale: str, settings: dict[str, t.Any], timeout: int
    ) -> Result:
        """Make a new database system with these settings, complete or not at all. One that is there stays as it is."""

    def activate(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        role: str,
        name: str | None,
        slots: list[str],
        standbys: list[str],
        wal_keep_megabytes: int,
        other_slots: bool,
        address: dict[str, str],
        address_timeout: int,
        timeout: int,
        warn: Warn,
        held: bool,
        inherited: dict[str, t.Any] | None,
    ) -> Result:
        """Make the standby the master, whether or not it gives a session, and wait until a write has committed.

        Sessions that hold the replay up, and idle ones where none is free, are ended and told as ``ended_sessions``
        (pid, title, why). Raises, with nothing done, when settings are smaller than the master's: that would end the
        server. WAL is kept by ``slots`` from before the activation, limited to so many megabytes where there is no
        limit yet, and always to what the disk can hold, which is the limit where others have slots or are to have
        (``other_slots``). Only ``standbys`` stay registered at ``role``, commits wait for
        none, ``name`` is the master's in the views. Then ``address`` (``address`` and ``interface``) is brought here;
        that it stays away is told, not raised. One that is ``held`` confirms no commit before its guard lets it, which
        goes on by what it has ``inherited``: timeline, number of a wish, lists of witnesses, timelines to pass over.
        """

    def commits(self, instance: Instance, run: Runner, act: bool, *, timeout: int) -> Result:
        """Wait until commits of a new master go on; that they do not is told, not raised."""

    def guard_told(
        self, instance: Instance, act: bool, *, state: str, standby: str, mode: str, unit: str, timeout: int
    ) -> Result:
        """Tell the guard that a standby is about to stop or is there again, or ask it whether commits wait for it.

        Raises when it has not done so in time; ``unit`` is the guard's, for what people read.
        """

    def checkpoint(self, instance: Instance, run: Runner, act: bool) -> Result:
        """Make a checkpoint, which nobody sees. Where all sessions are taken, idle ones are ended."""

    def settings(self, instance: Instance, act: bool, settings: dict[str, t.Any]) -> Result:
        """Set what differs and reload; None takes a setting out. Raises for a setting that the server does not know."""

    def views(
        self, instance: Instance, run: Runner, act: bool, *, extension: str, files: dict[str, str], databases: list[str]
    ) -> Result:
        """Put the files of the views where the engine looks for them, and the views into these databases."""

    def source_present(
        self,
        instance: Instance,
        act: bool,
        *,
        role: str,
        passfile: str,
        master: str | None,
        standby: str,
        others: list[str],
        slot: str,
        kept_wal: int | None,
        by: str | None,
    ) -> Result:
        """Make what a standby needs of its master: the role, with the file's password, the registration, the slot.

        ``kept_wal`` is the limit of kept WAL that this run has set, in megabytes: a removal takes that back.
        ``by`` is the run that relies on all that by now. Raises when there is a role of that name which was not made
        here.
        """

    def source_absent(
        self,
        instance: Instance,
        act: bool,
        *,
        role: str,
        master: str | None,
        standby: str,
        slot: str,
        created: list[str],
        spare: bool,
        by: str | None,
    ) -> Result:
        """Take away what ``created`` names (role, registration, slot); ``spare``: none while a copy is taken.

        A run that takes back its own (``by``) takes nothing that a standby streams through or another run relies on.
        """

    def slots_made(self, instance: Instance, act: bool, slots: list[dict[str, t.Any]]) -> Result:
        """Make slots of others that are not there; one that cannot be made is told as ``trouble``."""

    def slots_dropped(self, instance: Instance, act: bool, slots: list[str]) -> Result:
        """Drop those of these slots that nobody uses."""

    def no_views(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        extension: str,
        files: dict[str, str],
        databases: list[str],
        everywhere: bool = False,
    ) -> Result:
        """Drop the views in these databases, and take their files away."""

    def no_segment_role(self, instance: Instance, act: bool, *, role: str) -> Result:
        """Drop the role of the segments, if it was made here."""

    def segment_role(self, instance: Instance, act: bool, *, role: str, passfile: str) -> Result:
        """Let segments log in as a role, with the file's password, that may register and do nothing else.

        Raises when there is a role of that name which was not made here.
        """

    def rewind_source_present(
        self,
        instance: Instance,
        act: bool,
        *,
        role: str,
        passfile: str,
        password_of: str,
        hba_lines: list[str],
        by: str | None,
    ) -> Result:
        """Let a role read the master's files and make a backup for a run; its password is that of another role."""

    def rewind_source_absent(self, instance: Instance, act: bool, *, role: str, by: str | None) -> Result:
        """End that, for a run only what no other run has asked for since. Raises while somebody still reads."""
