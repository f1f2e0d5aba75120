"""Words from the specification, and the names made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Text:
    """Words from the spec. They never print themselves: only a quoting filter may open them."""

    value: str

    def __str__(self) -> NoReturn:
        raise TypeError(
            f"spec text {self.value!r} reached output unquoted; "
            "use |py_str, |py_doc, |py_comment, |yaml_str or |md"
        )

    def __format__(self, spec: str) -> NoReturn:
        str(self)
        raise AssertionError

    def __bool__(self) -> bool:
        return bool(self.value)


@dataclass(frozen=True, slots=True)
class Name:
    """One thing's name in each of the spellings generated code needs, all valid and unreserved.

    `raw` is what the author wrote; the others are derived once, by `model.names`, and are unique
    among the things of one kind in a service.
    """

    raw: Text
    snake: str  # order_placed: modules, functions, variables
    pascal: str  # OrderPlaced: classes
    kebab: str  # order-placed: files, topics, commands
    const: str  # ORDER_PLACED: constants
