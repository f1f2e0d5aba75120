"""The rules of the house that a tool can hold: layers, broker names, what templates may do."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
import typing
from importlib import import_module
from pathlib import Path

import pytest
from eventgen.brokers import discover
from eventgen.model.config import Database
from eventgen.plan import wires
from eventgen.plan.outputs import (
    DATABASE_MODULES,
    PARTITION_MODULES,
    RUNTIME_MODULES,
    TLS_MODULES,
)
from eventgen.render.templates import environment, templates_root
from jinja2 import nodes

from tests.support.generate import ROOT

GENERATOR = ROOT / "generator" / "eventgen"
TEMPLATES = templates_root()
JINJA = sorted(TEMPLATES.rglob("*.j2"))
PYTHON = sorted([*GENERATOR.rglob("*.py"), *(TEMPLATES / "runtime").rglob("*.py")])

LONGEST_FILE = 450
LONGEST_TEMPLATE = 120
BRANCHES_PER_100_LINES = 6
DEEPEST_NESTING = 3

_HEADER = re.compile(r"\{#- view: (?P<type>[\w.]+) -#\}\n")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_go_one_way() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def mentions(text: str, own: str, brokers: typing.Iterable[str]) -> set[str]:
    words = set(re.findall(r"[a-z]+", text.lower()))
    return {name for name in brokers if name != own and name in words}


def test_no_broker_is_named_outside_its_own_files() -> None:
    brokers = [name for name in discover() if name != "embedded"]
    code = [*GENERATOR.rglob("*.py"), *TEMPLATES.joinpath("common").rglob("*")]
    code += [
        *TEMPLATES.joinpath("runtime").rglob("*.py"),
        *TEMPLATES.joinpath("brokers").rglob("*"),
    ]
    found = {
        relative(path): named
        for path in code
        if path.is_file()
        and path.suffix != ".pyc"
        and (named := mentions(without_prose(path), own_broker(path), brokers))
    }
    assert found == {}


def own_broker(path: Path) -> str:
    """The broker a file belongs to: brokers/<name>.py or brokers/<name>/..."""
    parts = path.parts
    return parts[parts.index("brokers") + 1].removesuffix(".py") if "brokers" in parts else ""


def without_prose(path: Path) -> str:
    """A file's code: docstrings and comments may give examples, decisions may not."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return re.sub(r"\{#.*?#\}|^\s*#.*$", "", text, flags=re.MULTILINE | re.DOTALL)
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not is_string(part)] or [ast.Pass()]
    return ast.unparse(tree)


def is_string(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@pytest.mark.parametrize("name", ["kafka"])
def test_the_search_for_broker_names_finds_one(name: str) -> None:
    assert mentions(f"if broker == '{name}':", "", discover()) == {name}


# What may know the version of a document: its readers, its shapes, what chooses among them, and
# what writes another version.
VERSIONED = ("dialects", "asyncapi", "shapes", "document", "load.py", "convert.py")
_VERSION = re.compile(r"asyncapi|VERSIONS|(?:2\.[0-6]|3\.[01])(?:\.[0-9])?\.?|[23]\.")
_ASKS = {"endswith", "fullmatch", "get", "match", "place", "startswith"}


def version_asked(code: str) -> list[str]:
    """Where code decides by the version of a document, or reads with one version's readers."""
    found = []
    for node in ast.walk(ast.parse(code)):
        asks = isinstance(node, ast.Compare | ast.Subscript | ast.MatchValue) or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _ASKS
        )
        words = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        names = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
        if asks and any(_VERSION.fullmatch(str(word)) for word in words | names):
            found.append(ast.unparse(node))
        if isinstance(node, ast.ImportFrom) and re.match(
            r"eventgen\.spec\.(?:dialects|asyncapi|shapes)", node.module or ""
        ):
            found.append(ast.unparse(node))
    return found


def test_nothing_but_its_readers_learns_the_version_of_a_document() -> None:
    spec = GENERATOR / "spec"
    readers = {path for name in VERSIONED for path in (spec / name, *(spec / name).rglob("*.py"))}
    found = {
        relative(path): asked
        for path in sorted(GENERATOR.rglob("*.py"))
        if path not in readers and (asked := version_asked(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        "if version.startswith('2.'): pass",
        "if root.get('asyncapi'): pass",
        "if service.version == '3.0.0': pass",
        "if words in ('2.6.0', '2.5.0'): pass",
        "if minor in asyncapi2.VERSIONS: pass",
        "from eventgen.spec.dialects import asyncapi3",
    ],
)
def test_code_that_asks_for_the_version_is_seen(code: str) -> None:
    assert version_asked(code)


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def depth_of(node: nodes.Node) -> int:
    """How deep loops and branches nest; an `elif` is as deep as its `if`."""
    below = max((depth_of(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.If | nodes.For)


def branches(tree: nodes.Template) -> int:
    return sum(1 for _ in tree.find_all((nodes.If, nodes.CondExpr)))


def budget(text: str) -> list[str]:
    """What a template does beyond printing."""
    tree = environment().parse(text)
    lines = len(text.splitlines())
    over = []
    if lines > LONGEST_TEMPLATE:
        over.append(f"{lines} lines")
    if branches(tree) > max(1, lines * BRANCHES_PER_100_LINES // 100):
        over.append(f"{branches(tree)} branches in {lines} lines")
    if depth_of(tree) > DEEPEST_NESTING:
        over.append(f"nested {depth_of(tree)} deep")
    if any(tree.find_all(nodes.Assign)):
        over.append("assigns a variable")
    return over


@pytest.mark.parametrize("path", JINJA, ids=relative)
def test_templates_print_and_do_not_decide(path: Path) -> None:
    assert budget(path.read_text(encoding="utf-8")) == []


def test_a_template_over_its_budget_is_seen() -> None:
    assert budget("{% if view.a %}x{% endif %}\n" * 10) == ["10 branches in 10 lines"]
    assert budget("{% set a = 1 %}") == ["assigns a variable"]
    deep = "{% for a in view.a %}" * 4 + "{% endfor %}" * 4
    assert budget(deep) == ["nested 4 deep"]


def declared(text: str) -> type:
    header = _HEADER.match(text)
    assert header, "the first line must be {#- view: <the type it is given> -#}"
    module, _, name = header["type"].rpartition(".")
    return typing.cast("type", getattr(import_module(module), name))


class Reads:
    """Every attribute a template reads, checked against the types it reads them from."""

    def __init__(self, view: object) -> None:
        self.scopes: list[dict[str, object]] = [{"view": view}]
        self.problems: list[str] = []

    def visit(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.For):
            self.visit(node.iter)
            assert isinstance(node.target, nodes.Name)
            item = typing.get_args(self.type_of(node.iter))
            self.scopes.append({node.target.name: item[0] if item else None})
            for child in (*node.body, *node.else_):
                self.visit(child)
            self.scopes.pop()
            return
        if isinstance(node, nodes.Getattr):
            self.type_of(node)
        if isinstance(node, nodes.Name) and node.ctx == "load" and not self.knows(node.name):
            self.problems.append(f"line {node.lineno}: nothing is called `{node.name}`")
        for child in node.iter_child_nodes():
            self.visit(child)

    def knows(self, name: str) -> bool:
        return any(name in scope for scope in self.scopes)

    def type_of(self, node: nodes.Node) -> object:
        if isinstance(node, nodes.Name):
            return next((s[node.name] for s in reversed(self.scopes) if node.name in s), None)
        if not isinstance(node, nodes.Getattr):
            return None
        base = self.type_of(node.node)
        if not (isinstance(base, type) and dataclasses.is_dataclass(base)):
            return None
        hints = typing.get_type_hints(base)
        if node.attr not in hints:
            self.problems.append(f"line {node.lineno}: {base.__name__} has no `{node.attr}`")
        return hints.get(node.attr)


def misread(text: str) -> list[str]:
    reads = Reads(declared(text))
    reads.visit(environment().parse(text))
    return reads.problems


@pytest.mark.parametrize("path", JINJA, ids=relative)
def test_templates_read_only_what_their_view_has(path: Path) -> None:
    assert misread(path.read_text(encoding="utf-8")) == []


def test_a_misspelt_field_is_seen() -> None:
    header = "{#- view: eventgen.plan.views.TopologyView -#}\n"
    template = header + "{% for event in view.events %}{{ event.clas_name }}{% endfor %}{{ x }}"
    assert misread(template) == [
        "line 2: EventView has no `clas_name`",
        "line 2: nothing is called `x`",
    ]


def test_spec_text_cannot_be_printed_unquoted() -> None:
    from eventgen.model import Text

    for template in ("{{ t }}", "{{ t ~ 'a' }}", "{{ t | upper }}", "{{ '%s' | format(t) }}"):
        with pytest.raises(TypeError, match="unquoted"):
            environment().from_string(template).render(t=Text("words"))
    assert environment().from_string("{{ t | py_str }}").render(t=Text('a"b')) == '"a\\"b"'


def test_the_runtime_table_lists_the_runtime_folder() -> None:
    on_disk = {path.stem for path in (TEMPLATES / "runtime").glob("*.py")}
    databases = {module for names in DATABASE_MODULES.values() for module in names}
    payloads = {module for form in wires.FORMS.values() for module in form.modules}
    brokers = {*PARTITION_MODULES, *TLS_MODULES}
    assert set(RUNTIME_MODULES) | databases | payloads | brokers == on_disk
    assert set(DATABASE_MODULES) == set(Database)


def test_the_runtime_knows_neither_the_generator_nor_its_own_package_name() -> None:
    for path in [*TEMPLATES.joinpath("runtime").glob("*.py"), *TEMPLATES.glob("brokers/*/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert (node.module or "").split(".")[0] not in {"eventgen", "runtime"}, path


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["generate", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = (
        "jinja2",
        "yaml",
        "copier",
        "pydantic",
        "jsonschema",
        "datamodel_code_generator",
        "rich",
    )
    code = (
        "import sys, contextlib\nfrom eventgen import cli\n"
        f"with contextlib.suppress(SystemExit): cli.run({arguments!r})\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
