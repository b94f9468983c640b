# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator has typed stands in the commands that are named, and no secret does."""

from __future__ import annotations

import json
import shlex
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines import table
from ansible_collections.hawq.mirroring.plugins.module_utils.values.command import (
    Typed,
    adhoc,
    again,
    asked_of,
    inventory_in_use,
    playbook,
)
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _typed
from observations import change, master

KNOWN = {
    "data_directory_path",
    "standby_restore_command",
    "virtual_ip_address",
    "server_port",
    "existing_data",
    "standby_snapshot_tablespace_mapping",
}


class Settings:
    DEFAULT_BECOME_ASK_PASS = False
    DEFAULT_REMOTE_USER = None
    DEFAULT_TRANSPORT = "ssh"


def typed(args: str = "hawq.mirroring.init_standby", **given: t.Any) -> Typed:
    arguments = {"args": args.split(), "connection": "ssh", **given}
    return _typed.of(arguments, Settings, json.loads, KNOWN)


#: what was typed; what stands in the command of another playbook, and in the same command again
TYPED = {
    "nothing": ({}, "", ""),
    "a password for root is asked for": ({"become_ask_pass": True}, " --ask-become-pass", None),
    "passwords": ({"ask_pass": True, "ask_vault_pass": True}, " --ask-pass --ask-vault-pass", None),
    "a vault": (
        {"vault_password_files": ["/a b"], "vault_ids": ["x@prompt"]},
        " --vault-id x@prompt --vault-password-file '/a b'",
        None,
    ),
    "a user and a key": ({"remote_user": "bob", "private_key_file": "/k"}, " -u bob --private-key /k", None),
    "the connection that is set anyway": ({"connection": "ssh"}, "", None),
    "a file of variables": ({"extra_vars": ["@vars.yml"]}, " -e @vars.yml", None),
    "what describes hosts": ({"extra_vars": ["data_directory_path=/d/m"]}, " -e data_directory_path=/d/m", None),
    "what decides": ({"extra_vars": ["existing_data=keep"]}, "", " -e existing_data=keep"),
    "both in one word": (
        {"extra_vars": ["server_port=5433 existing_data=keep"]},
        " -e server_port=5433",
        " -e server_port=5433 -e existing_data=keep",
    ),
    "a dictionary": (
        {"extra_vars": ['{"standby_snapshot_tablespace_mapping": {"/a": "/b"}}']},
        """ -e '{"standby_snapshot_tablespace_mapping": {"/a": "/b"}}'""",
        None,
    ),
    "secrets": (
        {"extra_vars": ["ansible_become_password=hush", "ansible_ssh_pass=hush", '{"vault_token": "hush"}', "x=hush"]},
        "",
        "",
    ),
    "what this run goes without": ({"extra_vars": ["virtual_ip_address="]}, "", " -e virtual_ip_address="),
    "secrets in a value": (
        {
            "extra_vars": ["standby_restore_command='sshpass -p hush scp x'"],
            "ssh_common_args": "-o ProxyCommand='sshpass -p hush ssh -W %h:%p jump'",
        },
        "",
        "",
    ),
    "a command with a secret": (
        {"extra_vars": ["fence_command='ipmitool -P hush'"]},
        "",
        " -e \"fence_command='COMMAND'\"",
    ),
}


@pytest.mark.parametrize("case", TYPED)
def test_it_stands_in_commands(case: str) -> None:
    given, others, same = TYPED[case]
    with inventory_in_use(["hosts.yml"], None, typed(**given)):
        assert str(playbook("state")) == f"ansible-playbook -i hosts.yml hawq.mirroring.state{others}"
        expected = f"ansible-playbook -i hosts.yml hawq.mirroring.init_standby{others if same is None else same}"
        assert again() == expected
        assert "hush" not in again() + str(playbook("state")) + adhoc("mdw", "raw", "x")


def test_the_same_with_another_option() -> None:
    with inventory_in_use(["h"], "a", typed(extra_vars=["standby_host=sdw1", "existing_data=keep"])):
        start = "ansible-playbook -i h hawq.mirroring.init_standby -e cluster=a"
        assert again(existing_data="discard") == f"{start} -e standby_host=sdw1 -e existing_data=discard"
        assert again(standby_host=None) == f"{start} -e existing_data=keep"
        with asked_of("failover"):
            expected = "ansible-playbook -i h hawq.mirroring.failover -e cluster=a -e master_is_down=true"
            assert again(master_is_down=True) == expected


def test_where_it_is_not_known_what_was_typed() -> None:
    assert again(master_is_down=True) == "-e master_is_down=true"
    assert again() == ""


def test_a_value_of_several_words_stays_one() -> None:
    words = shlex.split(str(playbook("failover", fence_command="ssh bmc 'off now'")))
    assert json.loads(words[-1]) == {"fence_command": "ssh bmc 'off now'"}


def test_a_line_of_sql_names_who_where_and_which_database() -> None:
    seen = change(
        master(),
        {
            "process.pidfile": {"port": 5433, "socket_directory": "/run/my db"},
            "server.database": "template1",
            "user.name": "pg",
        },
    )
    line = table.typed(seen, ["SELECT 1", 'ALTER TABLE "a$b" SET LOGGED'])
    assert shlex.split(line) == [
        *("runuser", "-u", "pg", "--", f"{seen['binaries']['directory']}/psql", "-h", "/run/my db", "-p", "5433"),
        *("-d", "template1", "-c", "SELECT 1", "-c", 'ALTER TABLE "a$b" SET LOGGED'),
    ]
    assert shlex.split(table.typed(seen, ["SELECT 1"], "it's"))[9:11] == ["-d", "it's"]
