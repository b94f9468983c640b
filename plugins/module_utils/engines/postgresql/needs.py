# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the databases of a running server need of their host: libraries, locales, and the rules of sorting texts.

The server itself is asked wherever it can be: what its own C library or ICU says counts, and not what a program of the
host would say. What only a session of each database knows is asked of each, for a limited time.

Sources: PostgreSQL manual, "Shared Library Preloading", "CREATE FUNCTION" (how a library is found), "Collation
Versions", "pg_database", "pg_db_role_setting", "CREATE TABLE" (UNLOGGED).
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import observation, text
from . import database

#: seconds in which the databases are asked one after the other; the others are told as not asked
BUDGET_SECONDS = 0.5
STATEMENT_SECONDS = 2
LOCK_MILLISECONDS = 500
SUFFIX = ".so"
#: a library that every server has, which shows the place of the engine's own
LANDMARK = f"libpqwalreceiver{SUFFIX}"
#: beside the directory of the programs, as distributions and the engine's own build have it
PLACES = ("lib", "lib/postgresql", "lib64", "lib64/pgsql", "lib64/postgresql", "lib/pgsql")
#: a session's settings that name libraries, without which no session is given
OF_SESSIONS = ("session_preload_libraries", "local_preload_libraries")
#: locales that are part of every C library
EVERYWHERE = ("", "C", "POSIX")

SETTINGS = """
SELECT current_setting('shared_preload_libraries') AS shared_preload_libraries,
       current_setting('session_preload_libraries') AS session_preload_libraries,
       current_setting('local_preload_libraries') AS local_preload_libraries,
       CASE WHEN current_setting('archive_mode') <> 'off' THEN current_setting('archive_library', true) END
           AS archive_library,
       current_setting('dynamic_library_path') AS dynamic_library_path,
       current_setting('lc_messages') AS lc_messages,
       current_setting('lc_monetary') AS lc_monetary,
       current_setting('lc_numeric') AS lc_numeric,
       current_setting('lc_time') AS lc_time
"""
ROLE_SETTINGS = """
SELECT coalesce(r.rolname, '') AS role, coalesce(d.datname, '') AS database,
       split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase,
     unnest(s.setconfig) AS c
WHERE c ~ '^((session|local)_preload_libraries|lc_(messages|monetary|numeric|time))='
ORDER BY 1, 2, 3
"""
#: one query for all; which locale of ICU a database has does not matter, since ICU knows what comes next to any
DATABASES = """
SELECT datname AS database, datcollate AS collate, datctype AS ctype,
       CASE datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' ELSE 'builtin' END AS provider,
       datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual
FROM pg_database WHERE datallowconn ORDER BY oid
"""
PLUGINS = """
SELECT slot_name AS name, plugin FROM pg_replication_slots WHERE plugin IS NOT NULL AND NOT temporary ORDER BY 1
"""
#: without those that every new cluster has
FUNCTIONS = """
SELECT p.probin AS library, min(p.proname) AS function, min(e.extname) AS extension
FROM pg_proc p
LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE p.prolang = 13 AND p.oid >= 16384 AND p.probin IS NOT NULL
GROUP BY 1 ORDER BY 1
"""
#: collations by name that an index is sorted by; those of the database itself are known already
COLLATIONS = """
SELECT format('%I.%I', n.nspname, c.collname) AS collation, c.collcollate AS locale,
       CASE c.collprovider WHEN 'c' THEN 'libc' ELSE 'icu' END AS provider,
       c.collversion AS recorded, pg_collation_actual_version(c.oid) AS actual
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE c.collprovider IN ('c', 'i')
  AND c.oid IN (SELECT u FROM pg_index i, unnest(i.indcollation::oid[]) AS u WHERE u > 951)
ORDER BY 1
"""
#: what is in no WAL and not empty, some of it, and how much there is
UNLOGGED = """
SELECT format('%I.%I', n.nspname, c.relname) AS name, count(*) OVER () AS number
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'm') AND pg_relation_size(c.oid) > 0 ORDER BY 1 LIMIT 3
"""
#: the server says whether its host has a locale: an error where it has not
HAS_LOCALE = "SELECT set_config('lc_monetary', %s, true)"
NO_SUCH_VALUE = "22023"


def library_directory(instance: Instance) -> str | None:
    """Return the place of the engine's own libraries: beside its program, wherever links to that lead."""
    program = os.path.realpath(instance.program("postgres"))
    prefix = os.path.dirname(os.path.dirname(program))
    places = [os.path.join(prefix, each) for each in PLACES]
    return next((place for place in places if os.path.exists(os.path.join(place, LANDMARK))), None)


def libraries_in(place: str) -> list[str]:
    """Return the libraries there and among its plugins, as a server calls them: without the suffix."""
    found = []
    for folder, prefix in ((place, ""), (os.path.join(place, "plugins"), "plugins/")):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        found += [f"{prefix}{name.removesuffix(SUFFIX)}" for name in names if name.endswith(SUFFIX)]
    return sorted(found)


def short(name: str) -> str:
    """Return what a library is called on every host: its name in the place of the engine's own, or its path."""
    return name.removeprefix("$libdir/").removesuffix(SUFFIX)


def found_at(name: str, own: str, path: str) -> str | None:
    """Return the file that a server would load for the name of a library, as it looks for it; None of none."""
    written = short(name)
    if written.startswith("/"):
        places = [written]
    else:
        along = [] if "/" in written else [each.replace("$libdir", own) for each in path.split(":") if each]
        places = [os.path.join(each, written) for each in dict.fromkeys([*along, own])]
    files = [f"{place}{suffix}" for place in places for suffix in (SUFFIX, "")]
    return next((each for each in files if os.path.isfile(each)), None)


def listed(setting: str | None) -> list[str]:
    """Return the libraries that a setting names: separated by commas, some in double quotes."""
    words = re.findall(r'"((?:[^"]|"")*)"|([^,"\s][^,"]*)', setting or "")
    return [quoted.replace('""', '"') or plain.strip() for quoted, plain in words]


def of_plugins(names: list[str]) -> list[str]:
    """Return the libraries of local_preload_libraries, which come from the folder of the plugins alone."""
    return [name if "/" in name else f"plugins/{name}" for name in names]


class Found:
    """What has been found until now, each thing once with all that needs it."""

    def __init__(self, own: str | None, path: str) -> None:
        self._own, self._path = own, path
        self.needs: observation.Needs = {"libraries": [], "locales": [], "sorting": [], "unlogged": [], "unasked": []}

    def library(self, name: str, by: str, starts: bool = False) -> None:
        """Something needs a library; without one that ``starts`` the server does not."""
        if not self._own or _is_known(self.needs["libraries"], short(name), by, starts):
            return
        file = found_at(name, self._own, self._path)
        outside = file if file and not file.startswith(f"{self._own}/") else None
        outside = outside or (f"{short(name)}{SUFFIX}" if short(name).startswith("/") else None)
        need = {"name": short(name), "path": outside, "by": [by], "starts": starts, "here": file is not None}
        self.needs["libraries"].append(t.cast(observation.Need, need))

    def locale(self, name: str | None, by: str, cursor: t.Any, starts: bool = False) -> None:
        """Something needs a locale; the server is asked for each once."""
        if name is None or name in EVERYWHERE or _is_known(self.needs["locales"], name, by, starts):
            return
        need = {"name": name, "path": None, "by": [by], "starts": starts, "here": _has_locale(cursor, name)}
        self.needs["locales"].append(t.cast(observation.Need, need))


def _is_known(rows: list[observation.Need], name: str, by: str, starts: bool) -> bool:
    row = next((row for row in rows if row["name"] == name), None)
    if row:
        row["by"], row["starts"] = list(dict.fromkeys([*row["by"], by])), row["starts"] or starts
    return row is not None


def _has_locale(cursor: t.Any, name: str) -> bool | None:
    try:
        cursor.execute(HAS_LOCALE, (name,))
    except database.Error as error:
        return False if error.pgcode == NO_SUCH_VALUE else None
    return True


def of_server(cursor: t.Any, instance: Instance) -> Found | None:
    """Return what one session knows of all databases; None of a server that does not say it now."""
    try:
        now = database.rows(cursor, SETTINGS)[0]
        found = Found(library_directory(instance), now["dynamic_library_path"])
        _of_settings(found, now, cursor)
        for row in database.rows(cursor, ROLE_SETTINGS):
            _of_role(found, row, cursor)
        for row in database.rows(cursor, DATABASES):
            for name in dict.fromkeys((row["collate"], row["ctype"])):
                found.locale(name, f"database {row['database']}", cursor)
            found.needs["sorting"].append(_sorting(row["database"], None, row))
        for row in database.rows(cursor, PLUGINS):
            found.library(row["plugin"], f"slot {row['name']}")
    except (database.Error, IndexError, KeyError):
        return None
    return found


def _of_settings(found: Found, now: dict[str, t.Any], cursor: t.Any) -> None:
    for name in ("shared_preload_libraries", *OF_SESSIONS):
        for library in _named_by(name, now[name]):
            found.library(library, name, starts=True)
    for library in listed(now["archive_library"]):
        found.library(library, "archive_library")
    for name in ("lc_messages", "lc_monetary", "lc_numeric", "lc_time"):
        found.locale(now[name], name, cursor, starts=True)


def _of_role(found: Found, row: dict[str, t.Any], cursor: t.Any) -> None:
    whom = " and ".join(f"{what} {row[what]}" for what in ("role", "database") if row[what])
    by = f"{row['name']} of {whom or 'all roles'}"
    if row["name"] in OF_SESSIONS:
        for library in _named_by(row["name"], row["value"]):
            found.library(library, by)
    else:
        found.locale(row["value"], by, cursor)


def _named_by(setting: str, value: str | None) -> list[str]:
    names = listed(value)
    return of_plugins(names) if setting == "local_preload_libraries" else names


def _sorting(name: str, collation: str | None, row: dict[str, t.Any]) -> observation.Sorting:
    return {
        "database": name,
        "collation": collation,
        "provider": row["provider"],
        "recorded": row["recorded"],
        "actual": row["actual"],
    }


def of_databases(found: Found, instance: Instance, names: list[str], standby: bool) -> observation.Needs:
    """Ask each database for the libraries of its functions and the collations of its indexes, while there is time."""
    end = time.monotonic() + BUDGET_SECONDS
    for name in names:
        if time.monotonic() > end or not _asked(found, instance, name, standby):
            found.needs["unasked"].append(name)
    return found.needs


def _asked(found: Found, instance: Instance, name: str, standby: bool) -> bool:
    # the replay of a standby holds locks as long as it waits
    settings = {"lock_timeout": f"{LOCK_MILLISECONDS}ms"} if standby else {}
    try:
        with database.session(instance, text.raw(name), STATEMENT_SECONDS, settings) as cursor:
            for row in database.rows(cursor, FUNCTIONS):
                what = f"extension {row['extension']}" if row["extension"] else f"function {row['function']}"
                found.library(row["library"], f"{what} of database {name}")
            for row in database.rows(cursor, COLLATIONS):
                if row["provider"] == "libc":
                    found.locale(row["locale"], f"collation {row['collation']} of database {name}", cursor)
                found.needs["sorting"].append(_sorting(name, row["collation"], row))
            tables = database.rows(cursor, UNLOGGED)
            if tables:
                names = [row["name"] for row in tables]
                found.needs["unlogged"].append({"database": name, "names": names, "number": tables[0]["number"]})
    except MirroringError:
        return False
    return True
