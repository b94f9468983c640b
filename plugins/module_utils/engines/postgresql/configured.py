# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings that are in effect, what files ask for in vain, and how WAL is archived: what is told side by side.

Sources: PostgreSQL manual, "pg_settings", "pg_file_settings", "pg_stat_archiver", "Continuous Archiving".
"""

from __future__ import annotations

import hashlib
import typing as t

from ...values import observation
from . import database

#: commands, connections and other extensions' settings may hold secrets: a digest tells whether two are alike.
#: (not md5, which a host that is held to FIPS does not have). Our own sessions have settings of their own: of these it
#: counts what the files say.
SETTINGS = r"""
WITH filed AS (
    SELECT DISTINCT ON (lower(name)) lower(name) AS name, setting FROM pg_file_settings
    WHERE error IS NULL ORDER BY lower(name), seqno DESC
), found AS (
    SELECT s.name, coalesce(s.boot_val, '') AS boot, s.context,
           CASE WHEN s.source NOT IN ('client', 'session') AND s.setting <> '(disabled)' THEN s.setting
                WHEN s.vartype = 'bool' AND lower(f.setting) IN ('on', 'true', 'yes', '1') THEN 'on'
                WHEN s.vartype = 'bool' AND f.setting IS NOT NULL THEN 'off'
                ELSE coalesce(f.setting, s.boot_val) END AS value
    FROM pg_settings s LEFT JOIN filed f ON f.name = lower(s.name)
    WHERE (s.context <> 'internal' OR s.name = 'data_checksums') AND s.name NOT LIKE 'hawq\_mirroring%'
)
SELECT name, boot AS "default", context = 'postmaster' AS by_restart,
       CASE WHEN value <> '' AND (name ~ '(_command|conninfo)$' OR strpos(name, '.') > 0)
            THEN 'digest:' || left(encode(sha256(convert_to(value, getdatabaseencoding())), 'hex'), 12)
            ELSE value END AS value
FROM found WHERE value IS DISTINCT FROM boot AND value IS NOT NULL ORDER BY name
"""
SECRET = ("_command", "conninfo")
#: one that only waits for a restart is no error; of one that is in the files no more the text alone has the name
ERRORS = """
SELECT concat_ws(' ', e.sourcefile, 'line ' || e.sourceline) AS place, e.name, e.error FROM pg_file_settings e
WHERE e.error IS NOT NULL AND NOT EXISTS (
    SELECT FROM pg_settings s
    WHERE s.pending_restart AND (lower(s.name) = lower(e.name) OR (e.name IS NULL AND strpos(e.error, s.name) > 0)))
ORDER BY e.seqno
"""
ARCHIVER = """
SELECT current_setting('archive_mode') AS mode,
       current_setting('archive_command') NOT IN ('', '(disabled)')
           OR coalesce(current_setting('archive_library', true), '') <> '' AS told_how,
       extract(epoch FROM last_archived_time)::float8 AS archived_at,
       extract(epoch FROM last_failed_time)::float8 AS failed_at, last_failed_wal AS failed_wal,
       CASE WHEN current_setting('archive_mode') <> 'off'
            THEN (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') END AS waiting,
       CASE WHEN current_setting('archive_mode') <> 'off'
            THEN (SELECT extract(epoch FROM clock_timestamp() - greatest(min(modification), last_archived_time))::float8
                  FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') END AS waiting_seconds
FROM pg_stat_archiver
"""


TRUE, FALSE = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


def shown(name: str, value: str) -> str:
    """Return a value from a file as the query shows it: a command as a digest, a truth as on or off."""
    if name.endswith(SECRET):
        return f"digest:{hashlib.sha256(value.encode(errors='surrogateescape')).hexdigest()[:12]}"
    word = value.lower()
    return "on" if word in TRUE else "off" if word in FALSE else value


def settings(cursor: t.Any) -> dict[str, observation.Configured]:
    """Return the settings in effect that are not the default."""
    return {
        row["name"]: {"value": row["value"], "default": row["default"], "by_restart": row["by_restart"]}
        for row in database.rows(cursor, SETTINGS)
    }


def errors(cursor: t.Any) -> list[str]:
    """Return what a start would be refused for: file, line, name and reason, without the value."""
    return [
        f"{row['place']}: {' '.join(filter(None, (row['name'], row['error'])))}"
        for row in database.rows(cursor, ERRORS)
    ]


def archiver(cursor: t.Any) -> observation.Archiver | None:
    """Return how WAL is archived."""
    return next((t.cast(observation.Archiver, dict(row)) for row in database.rows(cursor, ARCHIVER)), None)
