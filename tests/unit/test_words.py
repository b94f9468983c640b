# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Judgement and reports speak of no engine's files, programs and settings: such a word comes from the engine's row."""

from __future__ import annotations

import io
import re
import tokenize
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines import table

ROOT = Path(__file__).parents[2] / "plugins/module_utils"
FILES = sorted([*ROOT.glob("judge/**/*.py"), *ROOT.glob("report/**/*.py")])
SETTINGS = {
    *table.POSTGRESQL.words.settings.values(),
    *table.POSTGRESQL.standby_at_least,
    *table.POSTGRESQL.standby_settings,
    *table.POSTGRESQL.restart_settings,
} - {"port"}
WORDS = re.compile(
    r"\bpg_[a-z_]+|standby\.signal|recovery\.(conf|signal)|backup_label|postgresql|postmaster|wal_?sender|\.conf\b"
    r"|\bSIG[A-Z]+|ALTER SYSTEM|POSTGRESQL|GREENPLUM|\bpsql\b|" + "|".join(rf"\b{name}\b" for name in sorted(SETTINGS))
)
#: a paragraph that names the manual that a rule comes from
SOURCES = re.compile(r"^ *Sources?:.*?(?=\n\n|\"\"\")", re.S | re.M)


def words_in(text: str) -> list[str]:
    """Return the engine's words in a file's code, strings and docstrings; comments are for whoever changes it."""
    tokens = tokenize.generate_tokens(io.StringIO(SOURCES.sub("", text)).readline)
    return [found[0] for token in tokens if token.type != tokenize.COMMENT for found in WORDS.finditer(token.string)]


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_engines_words(path: Path) -> None:
    assert words_in(path.read_text()) == []


FOUND: dict[str, tuple[str, list[str]]] = {
    "a string": ('x = "see pg_hba.conf"\n', ["pg_hba", ".conf"]),
    "a setting": ('x = now["wal_level"]\n', ["wal_level"]),
    "a docstring": ('"""As pg_rewind does."""\n', ["pg_rewind"]),
    "its sources": ('"""It follows.\n\nSources: PostgreSQL manual, "pg_rewind".\n"""\n', []),
    "a comment": ("x = 1  # as pg_rewind does\n", []),
}


@pytest.mark.parametrize(("text", "found"), FOUND.values(), ids=FOUND)
def test_they_would_be_found(text: str, found: t.Any) -> None:
    assert words_in(text) == found


JUDGES = [path for path in FILES if path.is_relative_to(ROOT / "judge")]


@pytest.mark.parametrize("path", JUDGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_judgement_spells_commands_in_one_place(path: Path) -> None:
    assert "ansible-playbook" not in path.read_text()
    assert "then run this again" not in path.read_text() or path.name == "refusal.py"
