# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What runs on hosts holds with the oldest Python that is supported, as far as that can be seen without one.

The scenario `releases` loads and runs it in a real Python 3.9. Here are the traps that loading does not show.
"""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 9)
ROOMS = ("engines", "host", "modules", "values")
FILES = sorted(
    [
        *ROOT.glob("plugins/modules/*.py"),
        *(path for room in ROOMS for path in ROOT.glob(f"plugins/module_utils/{room}/**/*.py")),
        *(path for path in ROOT.glob("roles/*/files/hawq-mirroring-*") if path.suffix == ""),
    ]
)
#: arguments that a function has only got since
ARGUMENTS = {
    "TemporaryDirectory": {"ignore_cleanup_errors", "delete"},
    "dataclass": {"slots", "kw_only", "weakref_slot"},
    "zip": {"strict"},
    "map": {"strict"},
    "Popen": {"pipesize", "process_group"},
    "run": {"process_group"},
    "rmtree": {"onexc", "dir_fd"},
    "glob": {"root_dir", "dir_fd", "include_hidden"},
}
#: names that a module of the library has only got since
NAMES = {
    "itertools": {"pairwise", "batched"},
    "contextlib": {"aclosing", "chdir"},
    "datetime": {"UTC"},
    "enum": {"StrEnum"},
    "hashlib": {"file_digest"},
    "inspect": {"get_annotations"},
    "t": {"NotRequired", "Required", "Self", "Never", "TypeAlias", "ParamSpec", "assert_never", "override", "Unpack"},
    "types": {"NoneType", "UnionType", "EllipsisType"},
    "os": {"eventfd", "splice", "unshare", "setns", "process_cpu_count"},
    "sys": {"stdlib_module_names", "orig_argv", "exception"},
    "bisect": set(),
}
#: those whose meaning has widened: in Python 3.9 a socket's time-out is none, nor is that of concurrent.futures
WIDER = {"TimeoutError", "aiter", "anext", "ExceptionGroup", "BaseExceptionGroup", "EncodingWarning"}


def newer(tree: ast.AST) -> t.Iterator[str]:
    """Name what the oldest Python does not have, or has in another meaning."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            yield from (f"{name}({each.arg}=)" for each in node.keywords if each.arg in ARGUMENTS.get(name, ()))
            if name == "format_exception" and len(node.args) < 3:
                yield "format_exception(error)"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in NAMES.get(node.value.id, ()):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from (
                f"{node.module}.{each.name}" for each in node.names if each.name in NAMES.get(node.module or "", ())
            )
        elif isinstance(node, ast.Name) and node.id in WIDER:
            yield node.id


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 120


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_of_the_hosts_asks_for_no_newer_python(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=OLDEST)
    assert list(newer(tree)) == []
    if any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) for node in ast.walk(tree)):
        assert "from __future__ import annotations" in path.read_text()


@pytest.mark.parametrize(
    "code",
    [
        "try: f()\nexcept TimeoutError: pass",
        "tempfile.TemporaryDirectory(ignore_cleanup_errors=True)",
        "zip(a, b, strict=True)",
        "@dataclass(slots=True)\nclass A: pass",
        "from itertools import pairwise",
        "t.NotRequired[int]",
        "traceback.format_exception(error)",
    ],
)
def test_what_is_newer_is_seen(code: str) -> None:
    assert len(list(newer(ast.parse(code)))) == 1
