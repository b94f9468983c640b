# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pages say what the code does: options with their defaults, links, a page a playbook, the decision tables."""

from __future__ import annotations

import fnmatch
import importlib.util
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.hawq.mirroring.plugins.module_utils.values.options import PLAY_OPTIONS

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PLAYBOOKS = sorted(path.stem for path in ROOT.glob("playbooks/*.yml"))
PATTERNS = ("*.md", "docs/*.md", "roles/*/README.md", "molecule/lab/README.md")
PAGES = sorted(page for pattern in PATTERNS for page in ROOT.glob(pattern))
#: pages that name files of this repository in backticks
GUIDES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
#: what a name of a file in this repository begins with
FOLDERS = ("changelogs/", "docs/", "inventories/", "meta/", "molecule/", "playbooks/", "plugins/", "roles/", "tests/")
HEADER = ["option (`-e`)", "meaning", "default"]
#: made by make docs and make test
MADE = ("docs/_build", "docs/reference")


def role_options() -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        found.update(yaml.safe_load(path.read_text())["argument_specs"]["main"].get("options", {}))
    return found


OPTIONS = {**role_options(), **PLAY_OPTIONS}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def option_rows(page: Path) -> t.Iterator[tuple[str, str]]:
    """Name and default of each row of the tables of options."""
    inside = False
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0].startswith("option ("):
            assert cells == HEADER
            inside = True
        elif inside and not set(cells[0]) <= {"-", " "}:
            assert len(cells) == 3, line
            yield cells[0].strip("`"), cells[-1]


def shown(default: t.Any) -> str:
    """How a table shows a default: nothing for what is empty."""
    if default in (None, "", [], {}):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


TABLED = [(name_of(page), name, default) for page in PAGES for name, default in option_rows(page)]


@pytest.mark.parametrize(("page", "name", "default"), TABLED)
def test_an_option_is_there_and_has_that_default(page: str, name: str, default: str) -> None:
    assert name in OPTIONS
    assert default == shown(OPTIONS[name].get("default"))


def test_every_option_of_the_playbooks_is_in_a_table() -> None:
    assert sorted(set(PLAY_OPTIONS) - {name for _page, name, _default in TABLED}) == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 120


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_playbook_has_a_page_that_the_readme_and_the_index_link_to(playbook: str) -> None:
    page = ROOT / f"docs/{playbook}.md"
    assert page.read_text().startswith(f"# {playbook}.yml\n")
    assert f"(docs/{playbook}.md)" in README.read_text()
    assert f"({playbook}.md)" in (ROOT / "docs/index.md").read_text()


@pytest.mark.parametrize(("room", "pattern"), [("roles", "*"), ("plugins/modules", "*.py")])
def test_roles_and_modules_have_a_row(room: str, pattern: str) -> None:
    text = (ROOT / "docs/roles_and_modules.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r"[`\[](\w+)[`\]]", row)}
    assert sorted({path.stem for path in (ROOT / room).glob(pattern)} - named) == []


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that headings get: lower case, dashes for blanks, without other signs."""
    titles = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


LINKS = [
    (name_of(page), target)
    for page in PAGES
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text()))
    if not re.match(r"[a-z]+:", target)
]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_a_link_leads_to_a_file_and_its_heading(page: str, target: str) -> None:
    place, _hash, anchor = target.partition("#")
    file = ((ROOT / page).parent / place).resolve() if place else ROOT / page
    assert file.is_relative_to(ROOT)
    assert file.exists()
    assert not anchor or anchor in anchors(file)


def test_a_link_of_a_page_that_is_shipped_leads_to_a_file_that_is_shipped() -> None:
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text())["build_ignore"]

    def shipped(name: str) -> bool:
        parts = [Path(name), *Path(name).parents]
        return not any(fnmatch.fnmatch(str(part), pattern) for part in parts for pattern in ignored)

    targets = {
        (page, name_of(((ROOT / page).parent / target.partition("#")[0]).resolve()))
        for page, target in LINKS
        if shipped(page) and not target.startswith("#")
    }
    assert sorted((page, target) for page, target in targets if not shipped(target)) == []


def named(page: str) -> t.Iterator[str]:
    """The files of this repository that a page names in backticks."""
    for word in re.findall(r"`([^`\n]+)`", without_code((ROOT / page).read_text())):
        if word.startswith(FOLDERS) and re.fullmatch(r"[\w./*-]+", word) and not word.startswith(MADE):
            yield word


@pytest.mark.parametrize(("page", "name"), [(page, name) for page in GUIDES for name in sorted(set(named(page)))])
def test_a_guide_names_files_that_are_there(page: str, name: str) -> None:
    assert list(ROOT.glob(name.rstrip("/")))


def test_the_tables_are_those_of_the_code_and_its_tests() -> None:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tests/tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    for page in tables.PAGES:
        assert tables.filled(page) == (ROOT / page).read_text(), "run .venv/bin/python tests/tables.py"
