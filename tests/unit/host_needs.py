# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What databases need and what hosts have, as recorded on a host of Debian 12 with PostgreSQL 15.

shop has the locale de_DE.UTF-8, the extension postgis and an index that is sorted by ICU; ledger sorts by plain bytes.
"""

from __future__ import annotations

import copy
import typing as t

from observations import Observation, change, empty, master, mirrored, standby

OWN = "/usr/lib/postgresql/15/lib"
NEEDS: dict[str, t.Any] = {
    "libraries": [
        {
            "name": "pg_stat_statements",
            "path": None,
            "by": ["shared_preload_libraries"],
            "starts": True,
            "here": True,
        },
        {
            "name": "auto_explain",
            "path": None,
            "by": ["session_preload_libraries of database shop"],
            "starts": False,
            "here": True,
        },
        {"name": "wal2json", "path": None, "by": ["slot debezium"], "starts": False, "here": True},
        {
            "name": "postgis-3",
            "path": None,
            "by": ["extension postgis of database shop"],
            "starts": False,
            "here": True,
        },
        {
            "name": "/opt/shop/price",
            "path": "/opt/shop/price.so",
            "by": ["function price of database shop"],
            "starts": False,
            "here": True,
        },
    ],
    "locales": [
        {
            "name": "C.UTF-8",
            "path": None,
            "by": ["lc_messages", "lc_monetary", "lc_numeric", "lc_time", "database template1", "database postgres"],
            "starts": True,
            "here": True,
        },
        {"name": "de_DE.UTF-8", "path": None, "by": ["database shop"], "starts": False, "here": True},
    ],
    "sorting": [
        {"database": "template1", "collation": None, "provider": "libc", "recorded": None, "actual": None},
        {"database": "postgres", "collation": None, "provider": "libc", "recorded": None, "actual": None},
        {"database": "shop", "collation": None, "provider": "libc", "recorded": "2.36", "actual": "2.36"},
        {
            "database": "shop",
            "collation": 'pg_catalog."de-x-icu"',
            "provider": "icu",
            "recorded": "153.120",
            "actual": "153.120",
        },
        # of PostgreSQL 17
        {"database": "ledger", "collation": None, "provider": "builtin", "recorded": "1", "actual": "1"},
    ],
    "unlogged": [],
    "unasked": [],
}
#: a host without a server
OFFERS: dict[str, t.Any] = {
    "directory": OWN,
    "libraries": ["auto_explain", "libpqwalreceiver", "pg_stat_statements", "plpgsql", "postgis-3", "wal2json"],
    "paths": {"/opt/shop/price.so": True},
    "broken": {},
    "locales": ["C", "C.utf8", "POSIX", "de_DE", "de_DE.utf8", "deutsch"],
    "versions": {"libc": "2.36", "icu": "153.120"},
}


def have(
    library: dict[str, bool] | None = None,
    locale: dict[str, bool] | None = None,
    libc: str = "2.36",
    icu: str = "153.120",
) -> dict[str, t.Any]:
    """Return what a server says that its host has: all, but for what is given."""
    told = copy.deepcopy(NEEDS)
    for kind, given in (("libraries", library or {}), ("locales", locale or {})):
        for row in told[kind]:
            row["here"] = given.get(row["name"], row["here"])
    for row in told["sorting"]:
        if row["provider"] in ("libc", "icu") and row["actual"]:
            row["actual"] = {"libc": libc, "icu": icu}[row["provider"]]
    found = [row["name"] for row in told["libraries"] if row["here"] and not row["path"]]
    return {
        "server.needs": told,
        "offers": {**OFFERS, "libraries": found, "paths": {}, "locales": None, "versions": {}},
    }


def needing(smdw: dict[str, t.Any], mdw: dict[str, t.Any] | None = None) -> dict[str, Observation]:
    """Return a pair in step with these hosts."""
    return {"mdw": mirrored("mdw", mdw or have()), "smdw": standby("smdw", smdw)}


def alone(offers: dict[str, t.Any], **overrides: t.Any) -> dict[str, Observation]:
    """Return a master, and a host without a server that has all but for this."""
    base = empty("smdw", {"offers": {**OFFERS, **offers}, **overrides})
    return {"mdw": change(master("mdw"), have()), "smdw": base}
