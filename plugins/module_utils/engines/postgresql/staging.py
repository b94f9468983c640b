# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names and places of the snapshot job: one transient unit and one staging place a data directory.

Source: systemd manual, "systemd-run"; PostgreSQL manual, "pg_basebackup", "pg_verifybackup".
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ...host.module import Instance
from ...host.run import Runner
from ...values import places

APPLICATION = "hawq_mirroring_snapshot"


Phase = t.Literal["none", "copying", "verifying", "done", "failed"]


class Job(t.TypedDict):
    """How the snapshot job stands."""

    phase: Phase
    result: str


@dataclass(frozen=True)
class Staging:
    """The staging place beside a data directory. Its name and its missing PG_VERSION keep servers off it."""

    data_directory: str

    @property
    def place(self) -> str:
        """The staging place itself."""
        return places.staging(self.data_directory)

    @property
    def copy(self) -> str:
        """Where pg_basebackup writes."""
        return os.path.join(self.place, "unverified-copy")

    @property
    def request(self) -> str:
        """The file that says what the copy was made for (JSON)."""
        return places.request(self.data_directory)

    @property
    def old(self) -> str:
        """Where discarded data waits for its removal."""
        return os.path.join(self.place, "old")

    @property
    def verified(self) -> str:
        """The file whose presence says that pg_verifybackup was content; the job writes it as the server's user."""
        return os.path.join(self.place, "verdict", "verified")


def job(instance: Instance, run: Runner) -> Job:
    """Return the job's phase: none, copying, verifying, done or failed, and the failed program's exit code."""
    wanted = ("LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus", "ExecStartPre")
    unit = places.snapshot_unit(instance.service)
    _code, output, _errors = run(["systemctl", "show", unit, "--property", ",".join(wanted)], timeout=10)
    shown = dict(line.partition("=")[::2] for line in output.splitlines())
    return {"phase": phase_of(shown), "result": shown.get("Result", "")}


def phase_of(shown: dict[str, str]) -> Phase:
    """Translate the unit's states: ExecStartPre is the copy, ExecStart the verification."""
    if shown.get("LoadState") in (None, "not-found", ""):
        return "none"
    active, sub = shown.get("ActiveState"), shown.get("SubState")
    if active == "active":
        return "done"
    if active == "failed":
        return "failed"
    if active == "activating":
        return "copying" if sub == "start-pre" else "verifying"
    if active == "deactivating":
        return "verifying"
    return "none"
