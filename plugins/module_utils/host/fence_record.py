# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The record beside fenced data: since when and why it must not accept writes."""

from __future__ import annotations

import json
import os
import typing as t

from ..values import places
from . import files

MASTER, STANDBY = "master", "standby"


def record(data_directory: str) -> dict[str, t.Any]:
    """Return what was recorded when the data was fenced; nothing of data that was not."""
    try:
        found = json.loads(files.read(os.path.join(data_directory, places.RECORD)) or "")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def timeline(found: dict[str, t.Any]) -> int | None:
    """Return the timeline that the data was on when the record was made, as far as the record tells."""
    control = found.get("control")
    known = control if isinstance(control, dict) else {}
    numbers = [known.get(name) for name in ("timeline", "min_recovery_timeline")]
    return max((each for each in numbers if isinstance(each, int)), default=None)
