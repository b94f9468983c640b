# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the databases of a master need and another host lacks: libraries, locales, the same rules of sorting. Pure.

What the server there says of itself counts; where none gives a session, what its host was seen to have. What is not
known is no reason to refuse anything. What the master's own host lacks, too, is none either: it works without.

Sources: PostgreSQL manual, "Collation Versions", "Shared Library Preloading"; locale(1).
"""

from __future__ import annotations

import re
import typing as t

from ..engines import table
from ..values.command import again
from ..values.observation import Unlogged
from . import topology
from .options import Options
from .refusal import AGAIN, Refusal

#: the option that accepts a kind of finding
OPTION, DIFFERENCE = "accept_collation_difference", "collation-difference"
#: things that are named, and what needs each
SHOWN = 4
#: whose rules may have another version on another host
CHANGING = ("libc", "icu")


class Lack(t.NamedTuple):
    """Something that a host lacks."""

    kind: t.Literal["library-missing", "locale-missing"]
    #: whether the server would not start there without
    starts: bool
    found: str
    why: str
    #: what mends it, without what is to be done then
    mend: str
    names: list[str]


class Difference(t.NamedTuple):
    """Rules of sorting that are others on another host."""

    databases: list[str]
    #: such as "libc 2.36 on mdw and by libc 2.28 on smdw"
    words: str


def lacks(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> list[Lack]:
    """Return what the host would lack: apart what its server needs to start, and what databases need."""
    needed, found = _needs(source), []
    for starts in (True, False):
        for kind in ("libraries", "locales"):
            rows = [row for row in needed.get(kind) or [] if _starts(row, seen) is starts and row["here"] is not False]
            missing = [row for row in rows if _has(row, kind, seen) is False]
            if missing:
                make = _libraries if kind == "libraries" else _locales
                found.append(make(name, seen, master, source, missing, starts))
    return found


def of_itself(name: str, seen: topology.Observation) -> list[Lack]:
    """Return what a server says that its own host lacks, when nothing else can be asked."""
    told = _needs(seen)
    present = {kind: [{**row, "here": True} for row in told.get(kind) or []] for kind in ("libraries", "locales")}
    source = {**seen, "server": {**(seen.get("server") or {}), "needs": present}}
    # its own configuration is what it has told of
    here = {**seen, "configuration": {**seen["configuration"], "outside": False}}
    return lacks(name, t.cast(t.Any, here), name, t.cast(t.Any, source)) if told else []


def _needs(seen: topology.Observation) -> dict[str, t.Any]:
    return (t.cast("dict[str, t.Any]", seen).get("server") or {}).get("needs") or {}


def _offers(seen: topology.Observation) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", seen).get("offers") or {}


def _starts(row: t.Any, seen: topology.Observation) -> bool:
    """Whether a server there would not start without; one with a configuration of its own need not have the setting."""
    own = seen["configuration"]
    return bool(row["starts"]) and not (own["outside"] and own["exists"])


def _has(row: t.Any, kind: str, seen: topology.Observation) -> bool | None:
    """Whether a host has what another one's server needs; None when that is not known."""
    own = next((each for each in _needs(seen).get(kind) or [] if each["name"] == row["name"]), None)
    offers = _offers(seen)
    if kind == "locales":
        if own or seen["server"] or offers.get("locales") is None:
            return own["here"] if own else None
        return same_locale(row["name"]) in map(same_locale, offers["locales"])
    if row["name"] in (offers.get("broken") or {}):
        return False
    if (own and own["here"]) or row["name"] in (offers.get("libraries") or []):
        return True
    if row["path"]:
        return t.cast("bool | None", own["here"] if own else (offers.get("paths") or {}).get(row["path"]))
    return None if offers.get("libraries") is None else row["name"] in offers["libraries"]


def same_locale(name: str) -> str:
    """Return the name of a locale as the C library compares it: the code set in lower case without other signs."""
    language, dot, rest = name.partition(".")
    code, at, modifier = rest.partition("@") if dot else ("", *language.partition("@")[1:])
    language = language.partition("@")[0]
    plain = re.sub(r"[^a-z0-9]", "", code.lower())
    plain = f"iso{plain}" if plain.isdigit() else plain
    return f"{language}.{plain}{at}{modifier}" if plain else f"{language}{at}{modifier}"


def _listed(rows: list[t.Any], seen: topology.Observation | None = None) -> str:
    broken = (_offers(seen) if seen else {}).get("broken") or {}
    words = []
    for row in rows[:SHOWN]:
        by = [*row["by"][:2], *(["others"] if len(row["by"]) > 2 else [])]
        trouble = f"; it cannot be loaded there: {broken[row['name']]}" if row["name"] in broken else ""
        words.append(f"{row['name']} ({' and '.join(by)}{trouble})")
    return ", ".join([*words, *([f"{len(rows) - SHOWN} more"] if len(rows) > SHOWN else [])])


def _libraries(
    name: str, seen: topology.Observation, master: str, source: topology.Observation, rows: list[t.Any], starts: bool
) -> Lack:
    place = _offers(source).get("directory") or ""
    files = " ".join(row["path"] or f"{place}/{row['name']}.so" for row in rows[:SHOWN])
    return Lack(
        "library-missing",
        starts,
        f"{name} lacks libraries that databases load: {_listed(rows, seen)}",
        "a server there would not start, or give no session"
        if starts
        else "what uses it would fail there, for some settings every session",
        f"Install on {name} what has it. What that is says, on {master}: dpkg -S {files} || rpm -qf {files}",
        [row["name"] for row in rows],
    )


def _locales(
    name: str, seen: topology.Observation, _master: str, _source: topology.Observation, rows: list[t.Any], starts: bool
) -> Lack:
    made = " && ".join(_made(row["name"]) for row in rows)
    again = f" && systemctl restart {seen['service']['unit']}" if seen["server"] else ""
    return Lack(
        "locale-missing",
        starts,
        f"{name} lacks a locale that is needed: {_listed(rows)}",
        "a server there would not start" if starts else "a database whose locale is missing refuses every session",
        f"Install what your distribution has for it, or make it, on {name}: {made}{again}",
        [row["name"] for row in rows],
    )


def _made(name: str) -> str:
    """Return the command that makes a locale."""
    language, _dot, rest = name.partition(".")
    code, at, modifier = rest.partition("@")
    return f"localedef -i {language}{at}{modifier} -f {code or 'ISO-8859-1'} {name}"


def starting(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> list[Refusal]:
    """Refuse what could not start there; a server that runs there is left alone."""
    if topology.kind(seen) == topology.STANDBY:
        return []
    return [_refusal(lack) for lack in lacks(name, seen, master, source) if lack.starts]


def serving(
    name: str, seen: topology.Observation, master: str, source: topology.Observation, options: Options
) -> list[Refusal]:
    """Refuse a host on which databases would not work, or would sort otherwise, when it is the master."""
    found = [_refusal(lack) for lack in lacks(name, seen, master, source) if not lack.starts]
    return [*found, *sorting(name, seen, master, source, options)]


def taking_over(
    name: str, seen: topology.Observation, master: str, source: topology.Observation, options: Options
) -> list[Refusal]:
    """Refuse all of that: of a server that runs there it is the next start that would fail."""
    found = [_refusal(lack) for lack in lacks(name, seen, master, source)]
    return [*found, *sorting(name, seen, master, source, options)]


def restarting(name: str, seen: topology.Observation) -> list[Refusal]:
    """Refuse what starts a server anew that would not start on its own host any more."""
    return [_refusal(lack) for lack in of_itself(name, seen) if lack.starts]


def _refusal(lack: Lack) -> Refusal:
    return Refusal(lack.kind, lack.found, lack.why, f"{lack.mend}, {AGAIN}")


def sorting(
    name: str, seen: topology.Observation, master: str, source: topology.Observation, options: Options
) -> list[Refusal]:
    """Refuse a host that sorts texts otherwise, unless that is accepted."""
    other = difference(name, seen, master, source)
    if not other or options.get(OPTION):
        return []
    return [
        Refusal(
            "collation-difference",
            f"texts are sorted by {other.words} ({in_databases(other.databases)})",
            "indexes on texts that one of them has sorted are corrupt for the other one: rows are not found, and unique"
            " keys can be there twice",
            f"Give both hosts the same version of their operating system, or accept it, {again(**{OPTION: True})}: then"
            " such indexes are to be rebuilt after each change of the master, as its report says",
        )
    ]


def in_databases(names: list[str]) -> str:
    """Return databases as people read them."""
    more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return f"database{'s' if len(names) > 1 else ''} {', '.join([*names[:SHOWN], *more])}"


def difference(name: str, seen: topology.Observation, master: str, source: topology.Observation) -> Difference | None:
    """Return which databases the two hosts would sort otherwise, if that is known of any."""
    databases, words = [], []
    for row in _changing(source):
        other = _version_there(row, seen)
        if other is not None and not _same(row, other, seen):
            databases.append(row["database"])
            words.append(
                f"{row['provider']} {row['actual']} on {master} and by {row['provider']} {other} on {name}"
                if other
                else f"{row['provider']} {row['actual']} on {master}, and {name} has no {row['provider']}"
            )
    return Difference(list(dict.fromkeys(databases)), "; ".join(dict.fromkeys(words))) if databases else None


def _changing(seen: topology.Observation) -> list[t.Any]:
    """Return the rules of a server that may be others elsewhere: those of plain bytes never are."""
    rows = _needs(seen).get("sorting") or []
    return [row for row in rows if row["provider"] in CHANGING and row["actual"]]


def _version_there(row: t.Any, seen: topology.Observation) -> str | None:
    """Return the version of the same rules there; empty where the host has none of that kind; None when not known."""
    if seen["server"]:
        rows = _changing(seen)
        same = [each for each in rows if (each["database"], each["collation"]) == (row["database"], row["collation"])]
        # one C library sorts all that is its; a collation of ICU has a version of its own
        alike = [each for each in rows if each["provider"] == row["provider"] == "libc"]
        return next((t.cast(str, each["actual"]) for each in (*same, *alike)), None)
    versions = _offers(seen).get("versions") or {}
    if row["provider"] in versions:
        return str(versions[row["provider"]])
    return "" if versions and seen["binaries"]["major"] is not None and row["provider"] == "icu" else None


def _same(row: t.Any, other: str, seen: topology.Observation) -> bool:
    if row["provider"] == "icu" and not seen["server"]:
        # without a session the root's version was asked for: what follows is of the language
        return str(row["actual"]).split(".")[:2] == other.split(".")[:2]
    return bool(row["actual"] == other)


def outdated(seen: topology.Observation) -> dict[str, list[str | None]]:
    """Return the databases of a server that were sorted by another version than it has, each with the collations."""
    found: dict[str, list[str | None]] = {}
    for row in _changing(seen):
        if row["recorded"] and row["recorded"] != row["actual"]:
            found.setdefault(row["database"], []).append(row["collation"])
    return found


def versions(seen: topology.Observation) -> str:
    """Return by what a server sorts now, and by what was sorted before."""
    words = [
        f"{row['provider']} {row['recorded']}, and are sorted by {row['actual']} now"
        for row in _changing(seen)
        if row["recorded"] and row["recorded"] != row["actual"]
    ]
    return "; ".join(dict.fromkeys(words))


def rebuilding(seen: topology.Observation) -> list[str]:
    """Return the lines that rebuild these indexes on a master, and write the new version down."""
    return [
        table.typed(seen, table.of(seen).words.rebuilding(database, each), database)
        for database, each in outdated(seen).items()
    ]


def unlogged(seen: topology.Observation) -> list[str]:
    """Return, in words, the tables of a master that are in no WAL, and so are empty on whoever takes over."""
    server = seen.get("server")
    needs = server.get("needs") if server else None
    rows = needs.get("unlogged") or [] if needs else []
    return [f"{_some(row)} of database {row['database']}" for row in rows]


def _some(row: Unlogged) -> str:
    more = row["number"] - len(row["names"])
    return f"{', '.join(row['names'])}{f' and {more} more' if more > 0 else ''}"


def aftermath(name: str, seen: topology.Observation) -> list[str]:
    """Return what would not work after a failover to a host, as far as its own server says."""
    found = [lack.found for lack in of_itself(name, seen)]
    if outdated(seen):
        found.append(f"indexes on texts must be rebuilt there ({in_databases(list(outdated(seen)))})")
    return found


def is_accepted(kind: str, options: Options) -> bool:
    """Whether the operator has accepted that the hosts sort otherwise."""
    return kind == DIFFERENCE and bool(options.get(OPTION))
