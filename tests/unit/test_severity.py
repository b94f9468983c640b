# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What levels are called in the catalogues of messages that are installed here, and in logs for programs."""

from __future__ import annotations

import gettext
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import own_words, severity

CATALOGUES = sorted(Path("/usr/share/locale").glob("*/LC_MESSAGES/postgres-1[5-8].mo"))


@pytest.mark.parametrize("path", CATALOGUES, ids=str)
def test_every_level_is_known_in_that_language(path: Path) -> None:
    with path.open("rb") as file:
        told: dict[str, t.Any] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    for level in severity.NAMES:
        name = (told.get(level) or told.get(f"{level}:  ") or level).strip()
        name = name.rstrip(":").rstrip()
        if (path.parent.parent.name, level) != ("ka", "NOTICE"):  # which is called as a warning is there
            assert severity.of_line(f"2026-11-27 15:00:01 UTC [1] {name}:  words") == (level, "words", name != level)


def test_a_line_of_something_else() -> None:
    assert severity.of_line("pg_ctl: could not start server") is None
    assert severity.is_said("FATAL", 'connection failed: ВАЖНО:  база данных "x" не существует')
    assert not severity.is_said("FATAL", "connection refused")


def test_a_log_for_programs_tells_by_a_code_what_is_harmless() -> None:
    rows = [
        {"error_severity": "ВАЖНО", "message": "не удалось открыть файл", "state_code": "58P01"},
        {"error_severity": "ВАЖНО", "message": "система баз данных останавливается", "state_code": "57P03"},
    ]
    lines = own_words._of_json("\n".join(map(json.dumps, rows)))
    assert own_words._of(lines) == "FATAL: не удалось открыть файл"
    csv = "\n".join(
        ",".join(["x"] * 11 + [row["error_severity"], row["state_code"], row["message"], "", ""]) for row in rows
    )
    assert own_words._of(own_words._of_csv(csv)) == "FATAL: не удалось открыть файл"
