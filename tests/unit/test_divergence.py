# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the WAL begins and ends that a set-back master lacks, and has partly written over."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import divergence
from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn

PAGE = 8192


def read(pieces: list[tuple[int, int]], at: str) -> tuple[str, str | None]:
    """Return where the WAL ends that begins at an LSN; a piece of it goes from one byte to another."""
    place = lsn.parse(at)
    end = next((end for begin, end in pieces if begin <= place < end), place)
    return lsn.render(end), None if end != place else "invalid record length"


@pytest.mark.parametrize(
    ("pieces", "reached", "outcome"),
    [
        pytest.param([(0, 9 * PAGE)], 9 * PAGE, (0, 9 * PAGE), id="nothing was written over"),
        pytest.param([(PAGE, 9 * PAGE)], 9 * PAGE, (PAGE, 9 * PAGE), id="the first page was"),
        pytest.param([(0, 100), (PAGE, 9 * PAGE)], 9 * PAGE, (PAGE, 9 * PAGE), id="the master has gone on"),
        pytest.param([(0, PAGE + 100), (2 * PAGE, 9 * PAGE)], 9 * PAGE, (2 * PAGE, 9 * PAGE), id="by more than a page"),
        pytest.param([(0, 100), (3 * PAGE, 9 * PAGE)], 9 * PAGE, (3 * PAGE, 9 * PAGE), id="a long record was cut"),
        pytest.param([(0, 100)], 200, (0, 100), id="what is left is in one page"),
        pytest.param([(0, 100), (PAGE, 2 * PAGE)], 9 * PAGE, (PAGE, 2 * PAGE), id="its end cannot be read"),
        pytest.param([], 9 * PAGE, (0, 0), id="nothing can be read"),
    ],
)
def test_what_the_master_lacks_is_found_behind_what_it_has_written_over(
    pieces: list[tuple[int, int]], reached: int, outcome: tuple[int, int]
) -> None:
    begin, end, damage = divergence.readable(lambda at: read(pieces, at), lsn.render(0), lsn.render(reached))
    assert (begin, end) == tuple(map(lsn.render, outcome))
    assert (damage is None) == (outcome[1] == reached)
