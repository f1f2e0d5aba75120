"""Reads security schemes, and what servers and operations ask of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.model import Permit, Security, SecurityScheme, Text
from eventgen.spec.asyncapi.about import about, places, texts, whole
from eventgen.spec.nearest import did_you_mean

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node


def schemes(reading: Reading, root: Node) -> tuple[SecurityScheme, ...]:
    """The schemes that the document names, sorted by name."""
    components = reading.mapping(root, "components")
    holder = None if components is None else reading.mapping(components, "securitySchemes")
    found = []
    for name, node in reading.entries(holder):
        target = reading.object(node, f"the security scheme `{name}`")
        if target is not None and holder is not None:
            found.append(_scheme(reading, name, target, holder.place(name)))
    return tuple(sorted(found, key=lambda scheme: scheme.name.value))


def by_name(reading: Reading, node: Node, known: tuple[SecurityScheme, ...]) -> Security:
    """The `security` of 2.x: each item names schemes, and the scopes each must grant."""
    named = {scheme.name.value: scheme for scheme in known}
    alternatives = []
    for item in reading.items(node, "security"):
        permits = []
        for name, scopes in reading.entries(item):
            if name in named:
                _check_scopes(reading, named[name], scopes)
                permits.append(Permit(named[name], texts(reading, item, name)))
            else:
                reading.error(
                    "unknown-security-scheme",
                    f"`{name}` is not one of the document's security schemes",
                    item.place(name),
                    help=did_you_mean(name, named)
                    or f"describe it under `components: {{securitySchemes: {{{name}: ...}}}}`",
                )
        alternatives.append(tuple(permits))
    return tuple(alternatives)


def by_reference(reading: Reading, node: Node) -> Security:
    """The `security` of 3.x: each item is a scheme, or refers to one."""
    alternatives = []
    for item in reading.items(node, "security"):
        target = reading.follow(item)
        if target is not None and isinstance(target.node.value, dict):
            name = target.way[-1] if target.way else ""
            scheme = _scheme(reading, name, target.node, item.span)
            alternatives.append((Permit(scheme, texts(reading, target.node, "scopes")),))
    return tuple(alternatives)


def _check_scopes(reading: Reading, scheme: SecurityScheme, scopes: Node) -> None:
    """Report scopes that no flow of an OAuth 2 scheme has."""
    flows = scheme.fields.get("flows")
    if scheme.type.value != "oauth2" or not isinstance(flows, dict):
        return
    known = {
        name
        for flow in flows.values()
        if isinstance(flow, dict) and isinstance(flow.get("scopes"), dict)
        for name in flow["scopes"]
    }
    for scope in scopes.value if isinstance(scopes.value, list) else ():
        if scope.words not in known:
            reading.error(
                "unknown-scope",
                f"the security scheme `{scheme.name.value}` has no scope `{scope.words}`",
                scope.span,
                help=did_you_mean(scope.words, known)
                or "it has: " + ", ".join(f"`{name}`" for name in sorted(known)),
            )


def _scheme(reading: Reading, name: str, node: Node, at: Span) -> SecurityScheme:
    return SecurityScheme(
        name=Text(name),
        type=Text(reading.text(node, "type")),
        about=about(reading, node),
        fields=whole(reading, node),
        places=places(node, at),
    )
