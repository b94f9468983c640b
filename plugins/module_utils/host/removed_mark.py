# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The mark that a host has no data because that was deleted on purpose. Root's, and everybody may read it.

Without it "no data" may only mean that a file system is not mounted, with a newer master's data on it.
"""

from __future__ import annotations

import json

from ..values import places
from . import files, separation


def is_set(data_directory: str, unit: str) -> bool:
    """Whether it names this data directory."""
    try:
        named = json.loads(files.public(places.removed(unit)) or "null")["data_directory"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return isinstance(named, str) and named.rstrip("/") == data_directory.rstrip("/")


def put(data_directory: str, unit: str) -> None:
    """Say so, once the data is gone."""
    if not is_set(data_directory, unit):
        separation.ask("mark_removed")


def lift(data_directory: str, unit: str) -> None:
    """Say so no longer, before there is data again."""
    if is_set(data_directory, unit):
        separation.ask("unmark_removed")
