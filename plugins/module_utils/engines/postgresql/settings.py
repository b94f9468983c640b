# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of the running server.

Source: PostgreSQL manual, "Setting Parameters", "pg_file_settings", "allow_alter_system".
"""

from __future__ import annotations

import os
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import settings_file
from . import database

#: the value in effect as SHOW prints it, the one that the files ask for, and the one of ALTER SYSTEM
QUERY = r"""
SELECT name, current_setting(name) AS value, context = 'postmaster' AS restart,
       (SELECT f.setting FROM pg_file_settings f WHERE f.name = s.name ORDER BY seqno DESC LIMIT 1) AS written,
       (SELECT f.setting FROM pg_file_settings f WHERE f.name = s.name AND f.sourcefile ~ '/postgresql\.auto\.conf$'
        ORDER BY seqno DESC LIMIT 1) AS told
FROM pg_settings s WHERE name = ANY(%s)
"""

#: PostgreSQL 17 and newer may forbid it, to those who type; the file is read all the same
FORBIDDEN = "SELECT coalesce(current_setting('allow_alter_system', true), 'on') = 'off' AS forbidden"


def write(cursor: t.Any, instance: Instance, wanted: t.Mapping[str, str | None]) -> None:
    """Set these as ALTER SYSTEM does, None takes one back; and reload."""
    if any(row["forbidden"] for row in database.rows(cursor, FORBIDDEN)):
        path = os.path.join(instance.data_directory, "postgresql.auto.conf")
        files.write(path, settings_file.edit(files.read(path) or "", dict(wanted)), act=True)
    else:
        for name, value in wanted.items():
            if value is None:
                cursor.execute(f'ALTER SYSTEM RESET "{name}"')
            else:
                cursor.execute(f'ALTER SYSTEM SET "{name}" = %s', (value,))
    cursor.execute("SELECT pg_reload_conf()")


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
                else now[name]["told"] is not None
            )
        }
        if different and act:
            write(cursor, instance, {name: None if value is None else str(value) for name, value in different.items()})
        before = {name: now[name]["value"] for name in settings}
        after = {name: settings[name] if name in different else before[name] for name in settings}
    return {
        "changed": bool(different),
        "restart_needed": sorted(name for name in settings if now[name]["restart"] and after[name] != before[name]),
        "diff": {"before": before, "after": after},
    }
