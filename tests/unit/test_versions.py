# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which major version a host gets: its master's, the distribution's, or the one that the inventory names."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import versions
from observations import empty

Found = dict[str, t.Any]
NONE: Found = {"missing": ["postgres"], "version": None, "major": None, "installed": []}
PLACE = "/usr/lib/postgresql/{}/bin".format


def host(found: Found) -> t.Any:
    return empty("smdw", {f"binaries.{name}": value for name, value in found.items()})


#: what the host has; the master's version; binaries_method; the refusal's kind and words; the place of the programs
PAIRS: dict[str, tuple[Found, int, str, list[tuple[str, str]], str]] = {
    "it has the master's": ({}, 15, "packages", [], PLACE(15)),
    "it has another one": ({}, 17, "packages", [], PLACE(17)),
    "it has another one, and cannot get the master's": (
        {"offered": [15]},
        17,
        "packages",
        [("version-not-offered", "smdw lacks PostgreSQL 17, and its sources of packages have 15 alone")],
        PLACE(17),
    ),
    "it has both": ({"installed": [15, 17], "offered": [15]}, 17, "packages", [], PLACE(17)),
    "it has none, and gets the master's": ({**NONE, "offered": [15, 17]}, 17, "packages", [], PLACE(17)),
    "it has none, and cannot get the master's": (
        {**NONE, "offered": [17]},
        15,
        "packages",
        [("version-not-offered", "smdw lacks PostgreSQL 15, and its sources of packages have 17 alone")],
        PLACE(15),
    ),
    "what it can get is not known": ({**NONE, "wanted": None}, 15, "packages", [], PLACE(15)),
    "it unpacks an archive": ({**NONE, "offered": [17]}, 15, "archive", [], PLACE(15)),
    "it has another one, and installs nothing": (
        {},
        17,
        "installed",
        [("programs-missing", "smdw has no PostgreSQL 17, only 15")],
        PLACE(17),
    ),
    "it has both, and installs nothing": ({"installed": [15, 17]}, 17, "installed", [], PLACE(17)),
    "the inventory names another one": (
        {"named": True},
        17,
        "packages",
        [("other-version", f"{PLACE(15)} on smdw holds major version 15, the master runs 17")],
        PLACE(15),
    ),
    "the inventory names another one that it has not got yet": (
        {**NONE, "named": True, "wanted": 15},
        17,
        "packages",
        [("other-version", f"{PLACE(15)} on smdw would get major version 15, the master runs 17")],
        PLACE(15),
    ),
    "the inventory names the master's, which it cannot get": (
        {**NONE, "named": True, "wanted": 15, "offered": [17]},
        15,
        "packages",
        [("version-not-offered", "lacks PostgreSQL 15")],
        PLACE(15),
    ),
}


@pytest.mark.parametrize(("found", "major", "method", "refused", "place"), PAIRS.values(), ids=PAIRS)
def test_a_standby_gets_its_masters_version(
    found: Found, major: int, method: str, refused: list[tuple[str, str]], place: str
) -> None:
    seen = host(found)
    refusals = versions.of_a_pair("smdw", seen, major, {"binaries_method": method})
    assert [row.kind for row in refusals] == [kind for kind, _words in refused]
    assert all(words in row.found for row, (_kind, words) in zip(refusals, refused))
    assert versions.directory(seen, major) == place
    if not refused:
        assert versions.lacking(seen, major) is (seen["binaries"]["major"] != major)


#: what the host has; the version of a new master; the refusal's kind and words
MASTERS: dict[str, tuple[Found, int | None, list[tuple[str, str]]]] = {
    "it has one": ({}, 15, []),
    "it gets the distribution's": ({**NONE, "wanted": 17, "offered": [17]}, 17, []),
    "it gets what the inventory names": ({**NONE, "named": True, "wanted": 16, "offered": [16, 17]}, 16, []),
    "it cannot get what the inventory names": (
        {**NONE, "named": True, "wanted": 15, "offered": [17]},
        15,
        [("version-not-offered", "smdw lacks PostgreSQL 15, and its sources of packages have 17 alone")],
    ),
    "nobody knows what the distribution has": (
        {**NONE, "wanted": None},
        None,
        [("no-version", "smdw has no PostgreSQL, and it is not known which version its distribution has")],
    ),
    "the distribution has one that is too old": (
        {**NONE, "wanted": 13},
        13,
        [("unknown-version", "smdw would get PostgreSQL 13")],
    ),
    "it has one that is too old": ({"major": 14}, 14, [("unknown-version", "holds PostgreSQL 14")]),
}


@pytest.mark.parametrize(("found", "major", "refused"), MASTERS.values(), ids=MASTERS)
def test_a_first_master_gets_what_is_there_or_what_the_distribution_has(
    found: Found, major: int | None, refused: list[tuple[str, str]]
) -> None:
    wanted, refusals = versions.of_a_master("smdw", host(found), {"binaries_method": "packages"})
    assert wanted == major
    assert [row.kind for row in refusals] == [kind for kind, _words in refused]
    assert all(words in row.found for row, (_kind, words) in zip(refusals, refused))


def test_packages_of_other_names_are_not_looked_for() -> None:
    seen = host({**NONE, "offered": [17]})
    assert versions.of_a_pair("smdw", seen, 15, {"binaries_method": "packages", "binaries_packages": ["mine"]}) == []


def test_what_an_older_observation_does_not_say_is_no_reason_to_refuse() -> None:
    seen = host(NONE)
    for name in ("named", "wanted", "places", "installed", "offered"):
        del seen["binaries"][name]
    assert versions.of_a_pair("smdw", seen, 17, {"binaries_method": "packages"}) == []
    assert versions.of_a_master("smdw", seen, {"binaries_method": "packages"}) == (None, [])
    assert versions.directory(seen, 17) == PLACE(15)
