"""Last checks on source that the schema engine made: nothing in it is somebody's code."""

from __future__ import annotations

import ast
import io
import tokenize
from types import MappingProxyType

from eventgen.render.normalise.text import is_hidden

# Everything the engine may import. A class of one of these names would hide it.
IMPORTS = MappingProxyType(
    {
        "__future__": frozenset({"annotations"}),
        "datetime": frozenset({"date", "datetime", "time"}),
        "decimal": frozenset({"Decimal"}),
        "enum": frozenset({"Enum", "IntEnum", "StrEnum"}),
        "ipaddress": frozenset({"IPv4Address", "IPv6Address"}),
        "pydantic": frozenset(
            {
                "AwareDatetime",
                "Base64Bytes",
                "ConfigDict",
                "Field",
                "MISSING",
                "NaiveDatetime",
                "RootModel",
                "StringConstraints",
            }
        ),
        "typing": frozenset({"Annotated", "Any", "Literal", "Optional", "Union"}),
        "uuid": frozenset({"UUID"}),
    }
)
_CALLS = frozenset({"ConfigDict", "Field", "StringConstraints"})
_FORBIDDEN = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom,
    ast.JoinedStr, ast.NamedExpr, ast.comprehension, ast.Starred,
)  # fmt: skip


def checked(text: str, base: str) -> str:
    """The text, if it is classes, annotations and literals, and imports only what we know.

    Raises ValueError otherwise: what a specification says never becomes code, whatever the engine
    makes of it.
    """
    tree = ast.parse(text)
    for statement in tree.body:
        _check_statement(statement, base)
    for node in ast.walk(tree):
        _check_node(node)
    return text


def _check_statement(statement: ast.stmt, base: str) -> None:
    module, _, name = base.rpartition(".")
    match statement:
        case ast.ClassDef(decorator_list=[]) | ast.Expr(value=ast.Call()):
            return
        case ast.ImportFrom(module=found, names=names, level=0):
            allowed = {name} if found == module else IMPORTS.get(str(found), frozenset())
            if all(alias.name in allowed for alias in names):
                return
    raise ValueError(f"a model is not only a model: {ast.unparse(statement)[:200]}")


def _check_node(node: ast.AST) -> None:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            return
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="model_rebuild")):
            return
    if type(node) in {ast.Call, *_FORBIDDEN}:
        raise ValueError(f"a model does something: {ast.unparse(node)[:200]}")


def escaped(text: str) -> str:
    """The text with hidden characters inside string literals escaped, so that they are seen."""
    if not any(is_hidden(character) and character != "\n" for character in text):
        return text
    lines = text.split("\n")  # as Python counts them, whatever else breaks lines elsewhere
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for token in reversed(tokens):
        if token.type == tokenize.STRING and any(map(is_hidden, token.string)):
            (row, start), (end_row, end) = token.start, token.end
            if row == end_row:  # a docstring of several lines has only its line breaks
                line = lines[row - 1]
                lines[row - 1] = line[:start] + ascii(ast.literal_eval(token.string)) + line[end:]
    return "\n".join(lines)


def rebased(text: str, placeholder: str, base: str) -> str:
    """The text with another base class imported than the placeholder of the same class name.

    A relative import goes last, where import sorting wants it.
    """
    module, _, name = placeholder.rpartition(".")
    line = f"from {module} import {name}\n"
    if line not in text:
        return text
    target, _, class_name = base.rpartition(".")
    target = target or "."
    imported = class_name if class_name == name else f"{class_name} as {name}"
    if not target.startswith("."):
        return text.replace(line, f"from {target} import {imported}\n", 1)
    alone = f"\n\n{line}\n"
    without = text.replace(alone, "\n\n", 1) if alone in text else text.replace(line, "", 1)
    tree = ast.parse(without)
    last = max(
        node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    )
    lines = without.split("\n")
    lines[last:last] = ["", f"from {target} import {imported}"]
    return "\n".join(lines)
