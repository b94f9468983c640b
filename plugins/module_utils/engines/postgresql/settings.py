# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of the running server.

Source: PostgreSQL manual, "Setting Parameters", "pg_file_settings".
"""

from __future__ import annotations

import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from . import database

#: the value in effect as SHOW prints it, and the one that the files ask for
QUERY = """
SELECT name, current_setting(name) AS value, context = 'postmaster' AS restart,
       (SELECT f.setting FROM pg_file_settings f WHERE f.name = s.name ORDER BY seqno DESC LIMIT 1) AS written
FROM pg_settings s WHERE name = ANY(%s)
"""


def change(instance: Instance, act: bool, settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """Compare, write what differs, reload."""
    with database.session(instance) as cursor:
        now = {row["name"]: row for row in database.rows(cursor, QUERY, (list(settings),))}
        unknown = sorted(set(settings) - set(now))
        if unknown:
            raise MirroringError(f"the server knows no parameter {', '.join(unknown)}")
        different = {
            name: value
            for name, value in settings.items()
            if (
                str(value) not in (now[name]["value"], now[name]["written"])
                if value is not None
                else now[name]["written"]
            )
        }
        if different and act:
            for name, value in different.items():
                if value is None:
                    cursor.execute(f'ALTER SYSTEM RESET "{name}"')
                else:
                    cursor.execute(f'ALTER SYSTEM SET "{name}" = %s', (str(value),))
            cursor.execute("SELECT pg_reload_conf()")
        before = {name: now[name]["value"] for name in settings}
        after = {name: settings[name] if name in different else before[name] for name in settings}
    return {
        "changed": bool(different),
        "restart_needed": sorted(name for name in settings if now[name]["restart"] and after[name] != before[name]),
        "diff": {"before": before, "after": after},
    }
