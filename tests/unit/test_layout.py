# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of a report: how wide they are, and what is never broken."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import layout

COMMAND = "ansible-playbook -i /etc/ansible/hosts hawq.mirroring.resync_standby -e standby_host=smdw -e x=delta"

TYPED = (
    "ansible-playbook -i hosts.yml hawq.mirroring.failover --ask-become-pass -u bob --vault-id x@prompt --private-key"
    ' \'/a b\' -e @vars.yml -e \'{"a": {"/b": "/c"}}\' -e "fence_command=\'COMMAND\'"'
)
SQL = (
    "runuser -u gpadmin -- /usr/lib/postgresql/15/bin/psql -h /var/run/postgresql -p 5432 -d 'it'\"'\"'s' -c"
    ' "ALTER TABLE \\"a b\\" SET LOGGED" -c "SELECT pg_reload_conf()"'
)
ADHOC = "ansible mdw -i hosts.yml --ask-become-pass -b -m ansible.builtin.raw -a 'apt-get install python3'"
COMMANDS = {
    "typed": TYPED,
    "SQL": SQL,
    "ad hoc": ADHOC,
    "a playbook of somebody": "ansible-playbook -i h site.yml -e a=b",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    "after", ["", ". Or wait until all is well again.", ", then run this again", "; or do nothing"]
)
def test_a_long_command_is_one_word(command: str, after: str) -> None:
    text = f"To do what has to be done here and now, on the host that is named: {command}{after}"
    lines = layout.wrap(text, 0, 6)
    # what has a line of its own is pasted as a whole; a short one stands in its sentence
    assert any(line.strip() == command for line in lines) or len(command) <= layout.COLUMNS - 6
    assert any(command in line for line in lines)
    assert layout.stop(text) == (text if not after else f"{text}.")


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
