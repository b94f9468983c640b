# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which major version of the engine a host gets, and whether it can have it. Pure.

What an older observation does not say is unknown, and no reason to refuse.
"""

from __future__ import annotations

from ..engines import table
from ..values.observation import Binaries, Observation
from .options import Options
from .refusal import AGAIN, Refusal


def directory(seen: Observation, major: int) -> str:
    """Return where a host has or gets the programs of a major version."""
    here = seen["binaries"]
    if _named(here) or here["major"] == major:
        return here["directory"]
    return here.get("places", {}).get(str(major), here["directory"])


def lacking(seen: Observation, major: int) -> bool:
    """Whether the host still lacks a program of a major version, or the library that sessions need."""
    here = seen["binaries"]
    elsewhere = not _named(here) and here["major"] != major
    return bool(here["missing"]) or here["major"] is None or elsewhere or not here["client_library"]


def of_a_pair(name: str, seen: Observation, major: int, options: Options) -> list[Refusal]:
    """A standby needs its master's major version."""
    here = seen["binaries"]
    wrong = here["major"]
    if not _named(here):  # another version beside it is in nobody's way
        if options["binaries_method"] == "installed" and wrong not in (None, major) and major not in _installed(here):
            return [_not_there(name, seen, major, f"only {wrong}")]
        return [] if major in (wrong, *_installed(here)) else _not_offered(name, seen, major, options)
    wrong = wrong or here.get("wanted")
    if wrong not in (None, major):
        has = f"holds major version {wrong}" if here["major"] else f"would get major version {wrong}"
        return [
            Refusal(
                "other-version",
                f"{here['directory']} on {name} {has}, the master runs {major}",
                "WAL only fits the same major version",
                f"Set binaries_version={major} and binaries_prefix to that version's place, or leave both out where"
                " packages of the distribution have it",
            )
        ]
    return [] if here["major"] else _not_offered(name, seen, major, options)


def of_a_master(name: str, seen: Observation, options: Options) -> tuple[int | None, list[Refusal]]:
    """Return the major version of a first master, or why it cannot have one."""
    engine, here = table.of(seen), seen["binaries"]
    major = here["major"] or here.get("wanted")
    if major is None:
        # an older observation does not say it; one that could not find it out does
        told = "Set binaries_version for it in the inventory, or with -e binaries_version="
        unknown = Refusal(
            "no-version",
            f"{name} has no {engine.name}, and it is not known which version its distribution has",
            "the version of a new master must be said",
            f"{told}{engine.majors[-1]} or another one, {AGAIN}",
        )
        return None, [unknown] if "wanted" in here else []
    if major not in engine.majors:
        found = f"{here['directory']} on {name} holds" if here["major"] else f"{name} would get"
        return major, [
            Refusal(
                "unknown-version",
                f"{found} {engine.name} {major}",
                f"this collection knows {engine.name} {engine.majors[0]} to {engine.majors[-1]}",
                f"Name one of these in binaries_version, {AGAIN}",
            )
        ]
    return major, [] if here["major"] else _not_offered(name, seen, major, options)


def _named(here: Binaries) -> bool:
    return here.get("named", True)


def _installed(here: Binaries) -> list[int]:
    return here.get("installed", [])


def _not_there(name: str, seen: Observation, major: int, what: str) -> Refusal:
    return Refusal(
        "programs-missing",
        f"{name} has no {table.of(seen).name} {major}, {what}",
        "binaries_method=installed only verifies",
        "Install it, or set binaries_method=packages or archive",
    )


def _not_offered(name: str, seen: Observation, major: int, options: Options) -> list[Refusal]:
    """The packages of a distribution are of few versions. What is installed under other names nobody can look for."""
    offered, engine = seen["binaries"].get("offered"), table.of(seen).name
    if options.get("binaries_method") != "packages" or options.get("binaries_packages") or offered is None:
        return []
    if major in offered:
        return []
    return [
        Refusal(
            "version-not-offered",
            f"{name} lacks {engine} {major}, and its sources of packages have {', '.join(map(str, offered))} alone",
            "no package of that version could be installed",
            f"Give {name} a source that has it ({table.of(seen).words.packages}), {AGAIN}; or set"
            " binaries_method=archive",
        )
    ]
