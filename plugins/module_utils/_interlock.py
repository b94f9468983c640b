# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the boot interlock lives: its program, its settings, and the drop-in that makes a unit ask it."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils import _observe
from ansible_collections.hawq.mirroring.plugins.module_utils._common import Instance

PROGRAM = "/usr/local/libexec/hawq-mirroring-interlock"
SETTINGS = "/etc/hawq-mirroring/interlock.json"


def dropin(unit: str) -> str:
    """Return the path of the unit's drop-in."""
    return f"/etc/systemd/system/{unit if unit.endswith('.service') else unit + '.service'}.d/hawq-mirroring.conf"


def dropin_text() -> str:
    """Return what the drop-in says; + runs it as root, which then asks as the server's user."""
    return f"# Written by hawq.mirroring.\n[Service]\nExecStartPre=+/usr/bin/python3 {PROGRAM} {SETTINGS}\n"


def observe(instance: Instance) -> dict[str, t.Any]:
    """Return the program's SHA-256, the settings and whether the unit asks; None for what is not there."""
    program = _observe.text_of(PROGRAM)
    try:
        settings = json.loads(_observe.text_of(SETTINGS) or "null")
    except ValueError:
        settings = None
    return {
        "program": hashlib.sha256(program.encode()).hexdigest() if program else None,
        "settings": settings,
        "asked": _observe.text_of(dropin(instance.service)) == dropin_text(),
    }
