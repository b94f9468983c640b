# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of a report: how wide they are, and what is never broken."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import layout

COMMAND = "ansible-playbook -i /etc/ansible/hosts hawq.mirroring.resync_standby -e standby_host=smdw -e x=delta"


TEXTS = {
    "a command at the end": f"bring it back: {COMMAND}",
    "a command in brackets": f"it is ({COMMAND}), and then",
    "many words": "word " * 50,
    "one long word": "a" * 99,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_line_has_80_columns_and_a_command_is_never_broken(text: str) -> None:
    lines = layout.line("Label", text).splitlines()
    assert [line for line in lines if len(line) > layout.COLUMNS and " " in line.strip() and COMMAND not in line] == []
    assert (COMMAND in text) == any(COMMAND in line for line in lines)
    assert " ".join("\n".join(lines).split()) == f"Label = {text.strip()}"
