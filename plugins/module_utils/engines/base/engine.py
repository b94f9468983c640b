# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All verbs of an engine. What it is capable of at all is said in ``engines/table``."""

from __future__ import annotations

import typing as t

from .former import Former
from .looking import Looking
from .master import Master
from .standby import Standby


class Engine(Looking, Master, Standby, Former, t.Protocol):
    """What a package of ``engines`` provides."""
