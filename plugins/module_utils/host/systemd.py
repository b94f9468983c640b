# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What systemd says of a unit."""

from __future__ import annotations

from ..values.observation import Service
from . import files
from .run import Runner


def unit(run: Runner, name: str) -> Service:
    """A systemd unit: loaded, active, enabled, its text, and whether systemd knows an older one."""
    wanted = ("LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath", "NeedDaemonReload", "StatusText")
    _code, output, _errors = run(["systemctl", "show", name, "--property", ",".join(wanted)], timeout=10)
    shown = dict(line.partition("=")[::2] for line in output.splitlines())
    return {
        "unit": name,
        "load": shown.get("LoadState", ""),
        "active": shown.get("ActiveState", ""),
        "sub": shown.get("SubState", ""),
        "enabled": shown.get("UnitFileState", ""),
        "stale": shown.get("NeedDaemonReload") == "yes",
        "waits_for": (shown.get("StatusText") or None) if shown.get("ActiveState") == "activating" else None,
        "text": files.text_of(shown["FragmentPath"]) if shown.get("FragmentPath") else None,
    }
