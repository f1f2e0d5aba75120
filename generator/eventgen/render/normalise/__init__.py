"""Schemas as people write them, made into schemas the engine understands.

Every repair takes a document, or all of them, and returns a new one. It says in its docstring
which documents need it. None of them makes a valid payload invalid: what the engine cannot express
is left open.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from eventgen.render.normalise import (
    compose,
    formats,
    keywords,
    loosen,
    notes,
    objects,
    references,
    text,
    types,
)
from eventgen.render.normalise.walk import Document, Documents

# In this order: the first make the document safe, the next say its types, the last rely on both.
REPAIRS: tuple[Callable[[Any], Any], ...] = (
    types.no_boolean_root,
    keywords.whole_characters,
    text.titled,
    keywords.known_keywords,
    keywords.whole_counts,
    text.plain_descriptions,
    text.deprecation_in_words,
    types.nullable_as_type,
    objects.no_empty_parts,
    objects.no_required_variants,
    types.no_false_parts,
    types.objects_at_root,
    types.objects_in_parts,
    types.stated_types,
    types.constants,
    types.hashable_enum,
    types.enum_over_type,
    loosen.one_statement,
    types.nullable_enum,
    loosen.one_type,
    formats.base64_as_byte,
    formats.known_formats,
    formats.compiling_patterns,
    formats.fitting_constraints,
    formats.integer_bounds,
    loosen.exact_bounds,
    objects.no_patterns_of_names,
    objects.untyped_extras,
    objects.plain_references,
)
JOINT_REPAIRS: tuple[Callable[[Documents], Documents], ...] = (
    compose.of_objects,
    references.named_in_parts,
    references.hoisted,
    references.inlined,
    loosen.of_branches,
    compose.flattened,
    references.subclassed,
    references.telling_discriminators,
    references.fitting_defaults,
)


def repaired(document: Any) -> Document:
    """One document after every repair that needs no other."""
    done = reduce(lambda value, repair: repair(value), REPAIRS, document)
    assert isinstance(done, dict)
    return done


def normalised(
    documents: Documents, payloads: frozenset[str], foreign: frozenset[str] = frozenset()
) -> Documents:
    """Every document, ready for the engine. `payloads` are those that must become models.

    `foreign` are not JSON on the wire: it is not their schemas that check them.
    """
    valid = references.valid_defaults(documents)
    described = notes.told(valid, payloads) | {name: valid[name] for name in foreign}
    alone: Documents = {name: repaired(document) for name, document in described.items()}
    alone = references.enclosed(alone, payloads)
    return reduce(lambda value, repair: repair(value), JOINT_REPAIRS, alone)
