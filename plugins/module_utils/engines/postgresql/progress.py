# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a snapshot or a delta is, as the master sees it.

Source: PostgreSQL manual, "Base Backup Progress Reporting".
"""

from __future__ import annotations

import typing as t

from ...host.module import Instance
from . import database, server_info, staging
from .delta import comparison

QUERY = r"""
SELECT p.phase, p.backup_streamed AS streamed_bytes, p.backup_total AS total_bytes
FROM pg_stat_progress_basebackup p JOIN pg_stat_activity a USING (pid)
WHERE a.application_name = %s
UNION ALL
SELECT 'comparing', substring(application_name FROM '(\d+)/')::bigint,
       nullif(substring(application_name FROM '/(\d+)')::bigint, 0)
FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename
WHERE application_name ~ %s AND shobj_description(r.oid, 'pg_authid') = %s
"""


def progress(instance: Instance) -> dict[str, t.Any] | None:
    """Ask once."""
    # any session may call itself that, but not be of that role
    told = rf"^{comparison.APPLICATION} \d{{1,18}}/\d{{1,18}}$"
    with database.session(instance) as cursor:
        found = database.rows(cursor, QUERY, (staging.APPLICATION, told, server_info.REWIND_MARK))
    return found[0] if found else None
