"""What is said is wrong."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import binaries

PROBLEMS: dict[str, tuple[list[str], list[str], str | None, str, list[str]]] = {
    "all is there": (["postgres", "psql"], [], "15.18", "", []),
    "a version to come": (["postgres"], [], "15devel", "", []),
    "nothing is there": ([], ["postgres", "psql"], None, "", ["There is no PostgreSQL in /bin."]),
    "some programs are missing": (["postgres"], ["initdb", "psql"], "15.18", "", ["/bin has no initdb, psql."]),
    "another version": (["postgres"], [], "16.1", "", ["/bin/postgres is version 16.1, but 15 is wanted."]),
    "a version that begins like the wanted one": (
        ["postgres"],
        [],
        "150.1",
        "",
        ["/bin/postgres is version 150.1, but 15 is wanted."],
    ),
    "no version": (
        ["postgres"],
        [],
        None,
        "no libpq\n",
        ["/bin/postgres --version does not tell its version: no libpq."],
    ),
    "two at once": (
        ["postgres"],
        ["psql"],
        "9.6",
        "",
        ["/bin has no psql.", "/bin/postgres is version 9.6, but 15 is wanted."],
    ),
}


@pytest.mark.parametrize(("found", "missing", "version", "answer", "said"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(found, missing, version, answer, said):
    assert list(binaries.problems("/bin", 15, found, missing, version, answer)) == said


def test_psycopg2_is_none_where_it_cannot_be_loaded(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg2", None)
    assert binaries.psycopg2_version() is None
