# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Refusals as people read them."""

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.module_utils.report import refusal

ONE = {"found": "it rains", "why": "you would get wet", "command": "Take a coat"}
TWO = {
    "found": "it is late",
    "why": "the shop is shut",
    "command": "Look: ansible-playbook hawq.mirroring.state",
}


def test_a_refusal_is_a_block() -> None:
    assert refusal.text("init_standby", [ONE]).splitlines() == [
        "init_standby refused, nothing was changed.",
        "",
        "  it rains:",
        "    you would get wet.",
        "    Take a coat.",
    ]


def test_each_of_several_refusals_has_its_number_and_a_command_no_full_stop() -> None:
    assert refusal.text("init_standby", [ONE, TWO]).split("\n\n")[1:] == [
        "  1. it rains:\n    you would get wet.\n    Take a coat.",
        "  2. it is late:\n    the shop is shut.\n    Look: ansible-playbook hawq.mirroring.state",
    ]


def test_refusal_of_the_next_way_says_which_have_failed() -> None:
    found = [{"found": "smdw has 4 kB free", "why": "a copy does not fit", "command": "Make room"}]
    text = refusal.text("resync_standby", found, {"rewind": "no WAL", "delta": "no space left."})
    assert " ".join(text.split()) == (
        "The rewind failed (no WAL), the delta failed (no space left), and the next way is refused."
        " smdw has 4 kB free: a copy does not fit. Make room."
    )
