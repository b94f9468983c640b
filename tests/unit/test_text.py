# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How numbers are written for people."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values.text import size

SIZES = {0: "0 B", 1023: "1023 B", 1024: "1 kB", 5 << 20: "5 MB", 3 << 29: "1.5 GB", 5 << 40: "5120.0 GB"}


@pytest.mark.parametrize(("number", "words"), SIZES.items())
def test_size(number: int, words: str) -> None:
    assert size(number) == words
