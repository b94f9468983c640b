# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How programs are run on a host."""

from __future__ import annotations

import collections
import os
import time

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import text


def test_output_and_errors_are_told_apart() -> None:
    assert Runner()(["sh", "-c", "echo out; echo err >&2; exit 3"]) == (3, "out\n", "err\n")


def test_bytes_that_are_no_text_survive() -> None:
    assert Runner()(["printf", r"a\377b"]) == (0, "a\udcffb", "")
    assert text.shown(Runner()(["printf", r"a\377b\033[31m\n"])[1]) == "a\\xffb\\x1b[31m\n"


def test_it_is_bounded() -> None:
    assert Runner()(["sleep", "60"], timeout=1)[0] == 124


def test_what_a_program_leaves_running_is_not_waited_for() -> None:
    begin = time.monotonic()
    assert Runner()(["sh", "-c", "sleep 20 & echo done"]) == (0, "done\n", "")
    assert time.monotonic() - begin < 15


def test_it_runs_in_english_at_the_root_and_without_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert Runner()(["sh", "-c", "echo $LC_ALL; pwd; read line || echo no input"])[1] == "C\n/\nno input\n"


def test_a_variable_of_libpq_that_another_thread_takes_away_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    class Going(collections.UserDict[str, str]):
        def __getitem__(self, name: str) -> str:
            if name.startswith("PG"):
                raise KeyError(name)
            return super().__getitem__(name)

    monkeypatch.setattr(os, "environ", Going({"PATH": os.defpath, "PGDATABASE": "x"}))
    assert Runner()(["sh", "-c", "echo ${PGDATABASE:-none}"])[1] == "none\n"
