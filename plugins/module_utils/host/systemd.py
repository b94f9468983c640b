# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What systemd says of a unit."""

from __future__ import annotations

import typing as t

from . import files
from .run import Runner

if t.TYPE_CHECKING:
    from ..values.observation import Service


def unit(run: Runner, name: str) -> Service:
    """A systemd unit: loaded, active, enabled, its text, and whether systemd knows an older one."""
    wanted = ("LoadState", "ActiveState", "SubState", "Type", "UnitFileState", "FragmentPath", "NeedDaemonReload")
    shown = _show(run, name, *wanted, "StatusText", "ExecStartPre")
    return {
        "unit": name,
        "load": shown.get("LoadState", ""),
        "active": shown.get("ActiveState", ""),
        "sub": shown.get("SubState", ""),
        "type": shown.get("Type", ""),
        "enabled": shown.get("UnitFileState", ""),
        "stale": shown.get("NeedDaemonReload") == "yes",
        "waits_for": (shown.get("StatusText") or None) if shown.get("ActiveState") == "activating" else None,
        "says": shown.get("StatusText") or None,
        "before": shown.get("ExecStartPre", ""),
        "text": files.text_of(shown["FragmentPath"]) if shown.get("FragmentPath") else None,
    }


def wanted(run: Runner, name: str) -> str | None:
    """Return a unit's own name, which may be called by others, if something starts it when the host is booted.

    It is enabled, or made so by a generator.
    """
    shown = _show(run, name, "Id", "LoadState", "UnitFileState", "WantedBy", "RequiredBy")
    starts = shown.get("UnitFileState", "").startswith("enabled") or shown.get("WantedBy") or shown.get("RequiredBy")
    return shown.get("Id", name) if shown.get("LoadState") == "loaded" and starts else None


def of_process(run: Runner, pid: int | None) -> str | None:
    """Return the service whose main process this is; None of one that somebody has started past systemd.

    Its control group alone does not tell: what is started in a login is in the group of whoever let that login in.
    Source: cgroups(7), "/proc/pid/cgroup".
    """
    groups = (files.text_of(f"/proc/{pid}/cgroup") or "").splitlines() if pid else []
    names = [line.rpartition("/")[2] for line in groups if line.endswith(".service")]
    return next((name for name in names if _show(run, name, "MainPID").get("MainPID") == str(pid)), None)


def main_pid(run: Runner, name: str) -> int | None:
    """Return the main process of a unit; None of one that has none."""
    told = _show(run, name, "MainPID").get("MainPID", "")
    return int(told) if told.isdecimal() and told != "0" else None


def _show(run: Runner, unit: str, *wanted: str) -> dict[str, str]:
    _code, output, _errors = run(["systemctl", "show", unit, "--property", ",".join(wanted)], timeout=10)
    found: dict[str, str] = {}
    for name, _equals, value in (line.partition("=") for line in output.splitlines()):
        found[name] = f"{found[name]}\n{value}" if name in found else value  # each command has a line
    return found
