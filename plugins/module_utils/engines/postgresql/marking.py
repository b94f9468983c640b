# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The mark of a standby: the file that lets a server replay a master's WAL when it starts.

A server that runs has read it long ago and goes on without it. But it ends when it is promoted and the file is not
there to be removed, and started again it would accept writes.

Source: ``xlog.c`` of PostgreSQL (``CleanupAfterArchiveRecovery``, ``StartupXLOG``).
"""

from __future__ import annotations

import os

from ...host import files
from ...host.module import Instance
from ..table import POSTGRESQL

#: the mark of a recovery that somebody else has begun: it is promoted without ours
RECOVERY = "recovery.signal"


def is_there(instance: Instance) -> bool:
    """Whether the data directory is marked as a standby's."""
    return os.path.exists(_path(instance))


def again(instance: Instance) -> bool:
    """Put the mark back on a server that is a standby, where somebody has taken it away; return whether it was gone."""
    if os.path.exists(os.path.join(instance.data_directory, RECOVERY)):
        return False
    return files.write(_path(instance), "", act=True)


def _path(instance: Instance) -> str:
    return os.path.join(instance.data_directory, POSTGRESQL.words.standby_marker)
