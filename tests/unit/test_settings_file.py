# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of settings: what they say, and how a line of them is changed."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo, settings_file
from cases import rows


@pytest.mark.parametrize(
    ("text", "settings"),
    rows(
        {
            "empty": ("", {}),
            "plain": ("port = 5432\n", {"port": "5432"}),
            "without the sign": ("port 5432", {"port": "5432"}),
            "without blanks": ("port=5432", {"port": "5432"}),
            "quoted": ("listen_addresses = '*'", {"listen_addresses": "*"}),
            "empty value": ("primary_slot_name = ''", {"primary_slot_name": ""}),
            "doubled quote": ("primary_conninfo = 'user=''a b'''", {"primary_conninfo": "user='a b'"}),
            "backslash quote": (r"cluster_name = 'a\'b'", {"cluster_name": "a'b"}),
            # ALTER SYSTEM of PostgreSQL 15 wrote this for the value a\b'c
            "as ALTER SYSTEM writes": (r"cluster_name = 'a\\b''c'", {"cluster_name": "a\\b'c"}),
            "comment": ("# port = 1\nport = 2 # not 3", {"port": "2"}),
            "hash in quotes": ("cluster_name = 'a#b' # c", {"cluster_name": "a#b"}),
            "last wins": ("port = 1\nport = 2", {"port": "2"}),
            "name in capitals": ("Port = 1\nPORT = 2", {"port": "2"}),
            "custom name": ("hawq_mirroring.standbys = 'a'", {"hawq_mirroring.standbys": "a"}),
            "not a setting": ("port =\n= 5\n???\n'a' = b", {}),
            "include": ("include_dir 'conf.d'", {"include_dir": "conf.d"}),
        }
    ),
)
def test_conf_parse(text: str, settings: dict[str, str]) -> None:
    assert settings_file.parse(text) == settings


@pytest.mark.parametrize(
    ("text", "wanted", "after"),
    rows(
        {
            "into nothing": ("", {"port": "1"}, "port = '1'\n"),
            "nothing wanted": ("port = 1", {}, "port = 1"),
            "already so": ("port = 1 # mine\n", {"port": "1"}, "port = 1 # mine\n"),
            "replaced at the end": ("# a\nport = 1\nssl = on\n", {"port": "2"}, "# a\nssl = on\nport = '2'\n"),
            "every line of the name": ("port = 1\nport = 2\n", {"port": "3"}, "port = '3'\n"),
            "an earlier line of the wanted value": ("port = 1\nport = 2\n", {"port": "1"}, "port = '1'\n"),
            "None removes": ("port = 1\nssl = on\n", {"port": None}, "ssl = on\n"),
            "None removes the last": ("port = 1\n", {"port": None}, ""),
            "None of what is not there": ("ssl = on\n", {"port": None}, "ssl = on\n"),
            "no last line end": ("ssl = on", {"port": "1"}, "ssl = on\nport = '1'\n"),
            "comment stays": ("#port = 1\n", {"port": "2"}, "#port = 1\nport = '2'\n"),
            "quote": ("", {"primary_conninfo": "user='a b'"}, "primary_conninfo = 'user=''a b'''\n"),
            "backslash": ("", {"cluster_name": "a\\b'c"}, "cluster_name = 'a\\\\b''c'\n"),
        }
    ),
)
def test_conf_edit(text: str, wanted: dict[str, str | None], after: str) -> None:
    assert settings_file.edit(text, wanted) == after
    assert settings_file.edit(after, wanted) == after
    assert {name: settings_file.parse(after).get(name) for name in wanted} == wanted


def test_conf_keeps_a_conninfo_that_needs_quotes() -> None:
    keywords: dict[str, str | int] = {"passfile": "/home/o'neil/a\\b c/.pgpass", "host": "fd00::2"}
    text = settings_file.edit("", {"primary_conninfo": conninfo.render(keywords)})
    assert conninfo.parse(settings_file.parse(text)["primary_conninfo"]) == keywords
