# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether there is a place for a copy of the master, and room in it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import disk
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal
from observations import GIGABYTE, change, directory, empty, master

PASSES: dict[str, t.Callable[[], list[Refusal]]] = {
    "disk: size unknown": lambda: disk.disk("smdw", empty(), change(master(), {"server.sizes": None}), {}, "refuse"),
    "disk: two file systems": lambda: disk.disk(
        "smdw",
        empty(
            "smdw",
            {
                "data_directory.free_bytes": GIGABYTE,
                "directories": [directory("/ts2", free_bytes=5 * GIGABYTE, device=2)],
            },
        ),
        change(master(), {"server.sizes": [{"name": "ts", "bytes": 4 * GIGABYTE, "location": "/ts"}]}),
        {"/ts": "/ts2"},
        "refuse",
    ),
}


@pytest.mark.parametrize("check", PASSES.values(), ids=PASSES)
def test_check_passes(check: t.Callable[[], list[Refusal]]) -> None:
    assert check() == []


PLACES: dict[str, tuple[str, list[str], str]] = {
    "root": ("/", [], "absolute path"),
    "relative": ("ts", [], "absolute path"),
    "dots": ("/srv/../ts", [], "absolute path"),
    "the data directory": ("/data/hawq/master", [], "in or around the data directory"),
    "around the data directory": ("/data", [], "in or around the data directory"),
    "inside the data directory": ("/data/hawq/master/ts", [], "in or around the data directory"),
    "somebody's files": ("/srv/company", ["README", "mail"], "not a tablespace's files"),
}


@pytest.mark.parametrize(("place", "entries", "why"), PLACES.values(), ids=PLACES)
def test_a_tablespace_takes_nobody_elses_place(place: str, entries: list[str], why: str) -> None:
    source = master("mdw", {"server.tablespaces": [{"name": "ts", "location": "/ts"}]})
    seen = empty("smdw", {"directories": [directory(place, *entries, free_bytes=1, device=1)]})
    (refusal,) = disk.tablespace_places(seen, {"/ts": place}, source, "discard")
    assert why in refusal.why


def test_a_tablespaces_own_files_are_a_matter_of_existing_data() -> None:
    source = master("mdw", {"server.tablespaces": [{"name": "ts", "location": "/ts"}]})
    entry = directory("/ts", "PG_15_202209061", free_bytes=1, device=1)
    assert disk.tablespace_places(empty("smdw", {"directories": [entry]}), {}, source, "discard") == []


def test_links_in_the_data_directory_would_be_left_out() -> None:
    (refusal,) = disk.linked_files("mdw", master("mdw", {"data_directory.linked_files": ["pg_hba.conf"]}))
    assert "pg_hba.conf in /data/hawq/master on mdw" in refusal.found
