# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Histories of timelines: where two part, which timeline an LSN is on, and what a history file says."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import history
from cases import FORK


def stretch(*rows: tuple[int, int, int | None]) -> list[history.Stretch]:
    return [history.Stretch(*row) for row in rows]


FORKS: dict[str, tuple[list[history.Stretch], list[history.Stretch], tuple[int, int] | None]] = {
    "the same timeline": (stretch((1, 0, None)), stretch((1, 0, None)), None),
    "the other one was activated": (stretch((1, 0, None)), stretch((1, 0, 64), (2, 64, None)), (1, 64)),
    "it was activated itself": (stretch((1, 0, 64), (2, 64, None)), stretch((1, 0, None)), (1, 64)),
    "both are on the newer timeline": (stretch((1, 0, 64), (2, 64, None)), stretch((1, 0, 64), (2, 64, None)), None),
    "both were activated, the other one earlier": (
        stretch((1, 0, 64), (2, 64, None)),
        stretch((1, 0, 32), (2, 32, None)),
        (1, 32),
    ),
    "the other one was activated once more": (
        stretch((1, 0, 64), (2, 64, None)),
        stretch((1, 0, 64), (2, 64, 96), (3, 96, None)),
        (2, 96),
    ),
    "both were activated, it earlier": (
        stretch((1, 0, 64), (3, 64, None)),
        stretch((1, 0, 96), (2, 96, None)),
        (1, 64),
    ),
    "nothing in common": (stretch((5, 0, None)), stretch((1, 0, None)), None),
}


@pytest.mark.parametrize(("mine", "its", "expected"), FORKS.values(), ids=FORKS)
def test_fork(mine: list[history.Stretch], its: list[history.Stretch], expected: tuple[int, int] | None) -> None:
    fork = history.fork(mine, its)
    assert (fork and (fork.timeline, int(fork.lsn.split("/")[1], 16))) == expected
    if fork:
        assert fork.beyond[-1].end is None
        assert fork.beyond[0].begin == (expected or (0, 0))[1]


TIMELINES: dict[str, tuple[dict[str, t.Any], int, str, tuple[int, ...], int]] = {
    "there is no newer one": ({}, 1, "0/5000000", (), 1),
    "before the fork": ({"2": [[1, FORK]]}, 1, "0/3000000", (), 1),
    "at the fork": ({"2": [[1, FORK]]}, 1, FORK, (2,), 2),
    "beyond the fork": ({"2": [[1, FORK]]}, 1, "0/5000000", (2,), 2),
    "beyond the fork on its own, although it has the newer history": ({"2": [[1, FORK]]}, 1, "0/5000000", (1,), 1),
    "between two forks": ({"2": [[1, FORK]], "3": [[1, FORK], [2, "0/5000000"]]}, 1, "0/4000000", (2,), 2),
    "beyond the second fork": ({"2": [[1, FORK]], "3": [[1, FORK], [2, "0/5000000"]]}, 2, "0/5000008", (3,), 3),
    "beyond the second fork on the second timeline": (
        {"2": [[1, FORK]], "3": [[1, FORK], [2, "0/5000000"]]},
        2,
        "0/5000008",
        (2,),
        2,
    ),
    "the newer timeline does not come from its own": ({"3": [[1, FORK]]}, 2, "0/5000000", (2, 3), 2),
}


@pytest.mark.parametrize(("histories", "known", "lsn", "written", "expected"), TIMELINES.values(), ids=TIMELINES)
def test_a_standby_is_on_the_timeline_of_its_lsn(
    histories: dict[str, t.Any], known: int, lsn: str, written: tuple[int, ...], expected: int
) -> None:
    assert history.at(histories, known, lsn, lambda timeline: timeline in written) == expected


def test_ancestors() -> None:
    text = "1\t0/3017F88\tno recovery target specified\n\n# comment\n2\t0/5000000\tbefore 2000-01-01\n"
    assert history.ancestors(text) == [[1, "0/3017F88"], [2, "0/5000000"]]
