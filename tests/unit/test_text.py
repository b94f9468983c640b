# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How numbers are written for people, and names of any bytes so that nothing obeys them."""

from __future__ import annotations

import json
import os
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import layout
from ansible_collections.hawq.mirroring.plugins.module_utils.report import refusal as refusal_text
from ansible_collections.hawq.mirroring.plugins.module_utils.values import text
from ansible_collections.hawq.mirroring.plugins.module_utils.values.text import size
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _run

SIZES = {0: "0 B", 1023: "1023 B", 1024: "1 kB", 5 << 20: "5 MB", 3 << 29: "1.5 GB", 5 << 40: "5120.0 GB"}


@pytest.mark.parametrize(("number", "words"), SIZES.items())
def test_size(number: int, words: str) -> None:
    assert size(number) == words


#: bytes, and how they are shown as a text
SHOWN = {
    b"plain": "plain",
    "Größe 大 🐘".encode(): "Größe 大 🐘",
    b"x\xff": r"x\xff",
    b"\xc3": r"\xc3",
    b"\xed\xa0\x80": r"\xed\xa0\x80",
    b"\x1b[31mred\x1b[0m": r"\x1b[31mred\x1b[0m",
    b"\x1b]0;title\x07": r"\x1b]0;title\x07",
    b"\x9b31m": r"\x9b31m",
    "\x9b31m".encode(): r"\u009b31m",
    b"over\rwritten": r"over\x0dwritten",
    b"back\x08space\x7f": r"back\x08space\x7f",
    b"nul\x00": r"nul\x00",
    "\u202eback to front".encode(): r"\u202eback to front",
    "\u2066\u2069\u200e\u200f\u061c".encode(): r"\u2066\u2069\u200e\u200f\u061c",
    "line\u2028paragraph\u2029".encode(): r"line\u2028paragraph\u2029",
    "next\x85line".encode(): r"next\u0085line",
    b"C:\\x": "C:\\x",
}


@pytest.mark.parametrize(("content", "shown"), SHOWN.items(), ids=map(ascii, SHOWN))
def test_what_a_terminal_would_obey_is_escaped(content: bytes, shown: str) -> None:
    found = text.shown(content.decode(errors="surrogateescape"))
    assert found == shown
    assert text.shown(found) == found
    assert found.isprintable()
    found.encode("utf-8")


def test_line_ends_and_tabs_stay_in_a_text_and_not_in_a_name() -> None:
    assert text.shown("one\n\ttwo\r\n") == "one\n\ttwo\\x0d\n"
    assert text.named("one\n\ttwo\r\n") == r"one\x0a\x09two\x0d\x0a"


def test_half_of_a_pair_is_shown_too() -> None:
    """JSON can hold one, and a process that sends it must not end the run."""
    assert text.shown(json.loads(r'"\ud83d\udc18 \ud83d \udc00"')) == r"🐘 \ud83d \udc00"


def test_everything_in_a_value_is_escaped() -> None:
    value = {"a\x1b": ["b\udcff", ("c\n", {"d": None, "e": 1.5, "f": True})]}
    assert text.shown(value) == {r"a\x1b": [r"b\xff", ["c\n", {"d": None, "e": 1.5, "f": True}]]}
    assert text.named(value) == {r"a\x1b": [r"b\xff", [r"c\x0a", {"d": None, "e": 1.5, "f": True}]]}


@pytest.mark.parametrize("content", [*SHOWN, b"a\nb\t", *(bytes([each]) for each in range(256))], ids=ascii)
def test_what_people_read_and_type_is_the_same_name_again(content: bytes) -> None:
    name = content.decode(errors="surrogateescape")
    assert text.raw(text.named(name)) == name
    assert os.fsencode(text.raw(text.named(name))) == content


def test_every_character_comes_back() -> None:
    for number in (*range(0x3000), *range(0xD7F0, 0xE010), 0x1F418):
        assert text.raw(text.named(chr(number))) == chr(number), hex(number)


@pytest.mark.parametrize(
    "typed",
    [
        r"\x2f",
        r"\x41",
        r"\x2e\x2e",
        r"\u002f",
        r"\u0041",
        r"\xFF",
        r"\x1",
        r"\u12",
        r"\n",
        "\\",
        r"\\",
        r"C:\xyz",
        r"\u00ff",
    ],
)
def test_an_escape_that_is_never_written_stands_for_itself(typed: str) -> None:
    """Nobody can hide a slash from those who look at a name."""
    assert text.raw(typed) == typed


LINES = {
    "": [],
    "\n": [""],
    "a": ["a"],
    "a\n": ["a"],
    "a\n\n": ["a", ""],
    "a\r\nb": ["a\r", "b"],
    "a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b\n": ["a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b"],
}


@pytest.mark.parametrize(("content", "lines"), LINES.items(), ids=ascii)
def test_only_a_line_end_ends_a_line(content: str, lines: list[str]) -> None:
    assert text.lines_of(content) == lines


# on the controller

FORGED = "db\n  Mirroring state                    = Synchronized\n\x1b[32mall is well\tnow\r"


def run_with(found: t.Any) -> _run.Run:
    return _run.Run({"hostvars": {"mdw": {"seen": found}}}, False)


def test_a_name_that_a_host_tells_stays_in_its_line() -> None:
    read = run_with({"observation": {"server": {"databases": [FORGED]}}, "msg": "one\n\x1b[31mtwo"}).read("mdw", "seen")
    (name,) = read["observation"]["server"]["databases"]
    assert name == text.named(FORGED)
    assert name.isprintable()
    assert read["msg"] == "one\n\\x1b[31mtwo"


@pytest.mark.parametrize("found", [None, [], "text", 5])
def test_what_is_no_result_is_nothing(found: t.Any) -> None:
    assert run_with(found).read("mdw", "seen") == {}
    assert run_with(found).read(None, "seen") == {}
    assert run_with(found).read("smdw", "seen") == {}


def test_it_forges_no_line_of_a_report() -> None:
    name = run_with({"names": [FORGED]}).read("mdw", "seen")["names"][0]
    rows = [{"found": f"mdw has {name}", "why": f"that is {name}", "command": f"Drop {name}"}]
    whole = "\n".join(
        [layout.line("Database", name), layout.item("Note", f"There is {name}"), refusal_text.text("failover", rows)]
    )
    assert not [line for line in whole.splitlines() if line.startswith("  Mirroring state")]
    assert "\x1b" not in whole
    assert "\r" not in whole
    assert "\t" not in whole


def test_no_report_has_colours_of_its_own_even_where_a_name_has_slipped_through() -> None:
    for line in (layout.line("a", FORGED), layout.item("Note", FORGED), layout.paragraph(FORGED)):
        assert "\x1b" not in line
        assert "\r" not in line


def test_the_file_of_a_report_is_plain_json(tmp_path: t.Any) -> None:
    path = tmp_path / "report.json"
    _run.write(str(path), {"names": [FORGED, "\udcff"]})
    content = path.read_bytes()
    content.decode("ascii")
    assert b"\x1b" not in content
    assert json.loads(content)["names"] == [FORGED, "\udcff"]
