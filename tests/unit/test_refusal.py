# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a refusal reads."""

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.module_utils.judge.refusal import Refusal


def test_sentence_says_found_why_and_command() -> None:
    assert Refusal("unreachable", "it rains", "you would get wet", "Take a coat").sentence() == (
        "it rains: you would get wet. Take a coat."
    )
