# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What lies beside a data directory."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/data/master.hawq-lost-0-3000028", True),
        ("/data/master.kept-20261125T101112", True),
        ("/data/master.kept-by-me", False),
        ("/data/master.hawq-snapshot", False),
        ("/data/other.kept-20261125T101112", False),
        ("/data/master", False),
    ],
)
def test_what_is_kept_beside_a_data_directory(path: str, kept: bool) -> None:
    assert places.is_kept(path, "/data/master/") is kept
