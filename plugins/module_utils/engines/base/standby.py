# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verbs for a host that becomes a standby."""

from __future__ import annotations

import typing as t

from ...host.module import Instance
from ...host.run import Runner

Result = dict[str, t.Any]


class Standby(t.Protocol):
    """The life of a standby."""

    def snapshot_started(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        request: dict[str, t.Any],
        existing_data: str,
        fresh: bool,
        make_room: bool,
        timeout: int,
    ) -> Result:
        """Start the copy of the running master as a job of its own, or attach to one for the same request.

        ``request`` is the option of the module snapshot; ``existing_data`` is none, keep or discard. The job ends
        itself after ``timeout`` seconds.
        """

    def snapshot_finished(
        self, instance: Instance, run: Runner, act: bool, *, copy_id: int | None, wait: int
    ) -> Result:
        """Say how far the job is, after at most ``wait`` seconds; a failed one is told, not raised."""

    def snapshot_deployed(
        self, instance: Instance, run: Runner, act: bool, *, copy_id: int | None, existing_data: str
    ) -> Result:
        """Put the verified copy in the data directory's place, unless another run has. It must be a standby's."""

    def snapshot_absent(self, instance: Instance, run: Runner, act: bool, *, spare: bool, wait: int) -> Result:
        """End the job and remove what it has made; ``spare`` leaves a job alone that may still become a copy."""

    def follow(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        directory: str | None,
        copy_id: int | None,
        primary: dict[str, t.Any],
        slot: str,
        settings: dict[str, t.Any],
        reload: bool,
        resume: bool,
    ) -> Result:
        """Make a directory a standby's of the master, and let a server that runs on it know.

        ``directory`` is the data directory, or a copy that is not deployed yet; ``primary`` are connection keywords.
        """

    def recovery_settings(
        self,
        instance: Instance,
        run: Runner,
        act: bool,
        *,
        settings: dict[str, t.Any],
        directories: list[str],
        timeout: int,
    ) -> Result:
        """Give a standby settings that are not smaller than these, restart or start its server, wait until it replays.

        ``directories`` of tablespaces are made first. No session is needed. Nothing is done where it runs with all of
        that. Raises when it does not come back.
        """
