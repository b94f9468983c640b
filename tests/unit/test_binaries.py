"""What is said is wrong."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import binaries


@pytest.mark.parametrize(
    ("found", "missing", "version", "answer", "said"),
    [
        (["postgres", "psql"], [], "15.18", "", []),
        (["postgres"], [], "15devel", "", []),
        ([], ["postgres", "psql"], None, "", ["There is no PostgreSQL in /bin."]),
        (["postgres"], ["initdb", "psql"], "15.18", "", ["/bin has no initdb, psql."]),
        (["postgres"], [], "16.1", "", ["/bin/postgres is version 16.1, but 15 is wanted."]),
        (["postgres"], [], "150.1", "", ["/bin/postgres is version 150.1, but 15 is wanted."]),
        (["postgres"], [], None, "no libpq\n", ["/bin/postgres --version does not tell its version: no libpq."]),
        (["postgres"], ["psql"], "9.6", "", ["/bin has no psql.", "/bin/postgres is version 9.6, but 15 is wanted."]),
    ],
)
def test_problems(found, missing, version, answer, said):
    assert list(binaries.problems("/bin", 15, found, missing, version, answer)) == said


def test_psycopg2_is_none_where_it_cannot_be_loaded(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg2", None)
    assert binaries.psycopg2_version() is None
