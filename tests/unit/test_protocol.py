# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The protocol of guard, witnesses and failover holds in every order of events, up to the depth that a minute allows.

``PYTHONPATH=collections:tests python -m protocol --depth 10`` goes deeper.
"""

from __future__ import annotations

import re

import pytest
from protocol.__main__ import one, variant
from protocol.variants import VARIANTS

#: a beginning, how many events, how many of them are faults, how many states there are at least
EXPLORED = {
    "synchronous": (7, 2, 15_000),
    "alone": (7, 2, 10_000),
    "second": (6, 2, 10_000),
    "returned": (7, 2, 15_000),
    "empty": (6, 2, 10_000),
    "activated": (6, 2, 5_000),
    "strict": (6, 2, 5_000),
    "three servers": (5, 2, 5_000),
    "three servers, two of them": (5, 2, 5_000),
    "between two lists": (4, 1, 1_000),
}


@pytest.mark.parametrize("name", EXPLORED)
def test_whatever_happens_nothing_is_lost_and_it_goes_on(name: str) -> None:
    depth, faults, least = EXPLORED[name]
    found = one(name, depth, faults, calm=depth - 3)
    assert found.broken is None, found.tell()
    assert found.depth == depth
    assert sum(found.states) >= least
    assert found.tried > 10


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_broken_is_found(name: str) -> None:
    found = variant(name)
    assert found.broken, f"not found: {found.tell()}"
    assert re.search(VARIANTS[name].ends, found.broken), found.tell()
    assert len(found.story) <= VARIANTS[name].depth


def test_the_story_keeps_the_names_of_the_witnesses() -> None:
    story = variant("a minority is enough for a master").tell()
    assert "1. a client commits on mdw" in story
    asked = re.findall(r"asks (w\d) for its promise", story)
    granted = re.findall(r"(w\d) reads the wish", story)
    assert len(set(asked)) == 2
    assert not set(asked) & set(granted)
    assert story.endswith("Then: commit 1 was acknowledged, is not on smdw, and nobody said so.")
