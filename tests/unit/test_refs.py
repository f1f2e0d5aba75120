"""`$ref`: what is found, and what is said when nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventgen.spec.addresses import Refusal
from eventgen.spec.refs import Files, project_root
from eventgen.spec.tree import Node, plain


def files_of(tmp_path: Path, **texts: str) -> Files:
    for name, text in texts.items():
        path = tmp_path / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Files(tmp_path.resolve())


def root_of(files: Files, tmp_path: Path, name: str = "main.yaml") -> Node:
    document = files.open(tmp_path / name, name)
    assert document is not None
    return document.root


def test_pointers_have_escapes(tmp_path: Path) -> None:
    files = files_of(
        tmp_path,
        main="a/b: {c~d: {'x y': [1, 2]}}\nref: {$ref: '#/a~1b/c~0d/x%20y/1'}\nall: {$ref: '#'}",
    )
    root = root_of(files, tmp_path)
    found = files.follow(root.value["ref"])
    assert found is not None
    assert found.node.value == 2
    assert found.way == ("a/b", "c~d", "x y", "1")
    whole = files.follow(root.value["all"])
    assert whole is not None
    assert whole.node is root


def test_references_are_relative_to_their_own_file(tmp_path: Path) -> None:
    files = files_of(
        tmp_path,
        main="ref: {$ref: 'parts/one.yaml#/x'}",
        parts__one="x: {$ref: 'two.yaml'}",
        parts__two="deep: {$ref: '../main.yaml#/end'}\nvalue: 5",
    )
    (tmp_path / "main.yaml").write_text("ref: {$ref: 'parts/one.yaml#/x'}\nend: 7")
    root = root_of(files, tmp_path)
    found = files.follow(root.value["ref"])
    assert found is not None
    assert found.document.source.path == "parts/two.yaml"
    assert plain(found.node)["value"] == 5
    end = files.follow(found.node.value["deep"])
    assert end is not None
    assert end.node is root.value["end"]
    assert [path.name for path in files.inputs()] == ["main.yaml", "one.yaml", "two.yaml"]
    assert files.findings == []


def test_the_wrong_case_is_found_in_every_part_of_a_path(tmp_path: Path) -> None:
    files = files_of(
        tmp_path, main="ref: {$ref: './Parts/Sub/One.yaml#/x'}", parts__sub__one="x: 1"
    )
    (tmp_path / "parts.yaml").write_text("x: 1")
    assert files.follow(root_of(files, tmp_path).value["ref"]) is None
    assert files.findings[0].help == "did you mean `./parts/sub/one.yaml`?"


def test_a_path_may_be_percent_encoded(tmp_path: Path) -> None:
    files = files_of(tmp_path, main="ref: {$ref: 'two%20words.yaml#/x'}")
    (tmp_path / "two words.yaml").write_text("x: 1")
    found = files.follow(root_of(files, tmp_path).value["ref"])
    assert found is not None
    assert found.node.value == 1


def test_files_in_other_languages_are_given_as_they_are(tmp_path: Path) -> None:
    text = "a: {$ref: order.avsc}\nb: {$ref: 'order.avsc#/name'}\nc: {$ref: 'order.proto#Order'}"
    files = files_of(tmp_path, main=text)
    (tmp_path / "order.avsc").write_text('{"type": "record", "name": "Order"}')
    (tmp_path / "order.proto").write_text("message Order {}\n")
    root = root_of(files, tmp_path)
    avro, name, protobuf = (files.follow(root.value[key]) for key in "abc")
    assert avro is not None
    assert name is not None
    assert protobuf is not None
    assert plain(avro.node) == {"type": "record", "name": "Order"}
    assert (avro.document.language, name.node.value) == ("Avro", "Order")
    assert (protobuf.node.value, protobuf.document.language) == ("message Order {}\n", "Protobuf")
    assert protobuf.way == ("Order",)
    assert files.findings == []


def remote_files(tmp_path: Path, text: str, **contents: str) -> Files:
    """A project with one file, and a network with `contents`, by the name in their URL."""
    files = files_of(tmp_path, main=text)

    def fetch(url: str) -> bytes | Refusal:
        name = url.removeprefix("https://example.com/v1/").removesuffix(".yaml")
        if name in contents:
            return contents[name].encode()
        return Refusal("remote-reference", f"`{url}` answered 404", "check it")

    files.fetch = fetch
    return files


def test_a_remote_file_is_read_and_its_references_are_relative_to_its_url(tmp_path: Path) -> None:
    files = remote_files(
        tmp_path,
        "ref: {$ref: 'https://example.com/v1/one.yaml#/x'}",
        one="x: {$ref: './two.yaml#/y'}",
        two="y: {$ref: '#/z'}\nz: 5",
    )
    found = files.follow(root_of(files, tmp_path).value["ref"])
    assert found is not None
    assert found.node.value == 5
    assert found.document.place == found.document.source.path == "https://example.com/v1/two.yaml"
    assert found.document.name.name == "two.yaml"
    assert [path.name for path in files.inputs()] == ["main.yaml"]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "FILE:main.yaml", "urn:x"])
def test_a_remote_file_cannot_name_a_local_one(tmp_path: Path, address: str) -> None:
    files = remote_files(
        tmp_path,
        "ref: {$ref: 'https://example.com/v1/one.yaml#/x'}",
        one=f"x: {{$ref: '{address}'}}",
    )
    assert files.follow(root_of(files, tmp_path).value["ref"]) is None
    (found,) = files.findings
    assert found.message == f"`{address}` is not a file"


def test_a_remote_file_that_cannot_be_read_is_told_of_at_its_reference(tmp_path: Path) -> None:
    files = remote_files(tmp_path, "ref: {$ref: 'https://example.com/v1/one.yaml#/x'}")
    assert files.follow(root_of(files, tmp_path).value["ref"]) is None
    (found,) = files.findings
    assert found.message == "`https://example.com/v1/one.yaml` answered 404"
    assert found.primary is not None
    assert found.primary.span.line == 1


def test_json_files_are_read_like_yaml(tmp_path: Path) -> None:
    files = files_of(tmp_path, main="ref: {$ref: './shared.json#/definitions/Money'}")
    (tmp_path / "shared.json").write_text('{"definitions": {"Money": {"type": "object"}}}')
    found = files.follow(root_of(files, tmp_path).value["ref"])
    assert found is not None
    assert plain(found.node) == {"type": "object"}


def test_a_pointer_goes_through_references(tmp_path: Path) -> None:
    files = files_of(tmp_path, main="a: {$ref: '#/b'}\nb: {c: 1}\nref: {$ref: '#/a/c'}")
    found = files.follow(root_of(files, tmp_path).value["ref"])
    assert found is not None
    assert found.node.value == 1


@pytest.mark.parametrize(
    ("text", "name", "help_"),
    [
        ("Order: 1\nref: {$ref: '#/Ordr'}", "dangling-reference", "did you mean `Order`?"),
        ("a: {b/c: 1}\nref: {$ref: '#/a/b/c'}", "dangling-reference", "`b~1c`"),
        ("ref: {$ref: '#anchor'}", "dangling-reference", "write it as `#/a/b`"),
        ("ref: {$ref: 'mein.yaml'}", "dangling-reference", "did you mean `main.yaml`?"),
        ('ref: {$ref: "zzz\\0.yml"}', "dangling-reference", "check the path"),
        ("ref: {$ref: '../other.yaml'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: /etc/passwd}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: 'file:///etc/passwd'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: 'HTTPS://example.com/x.yaml#/a'}", "remote-reference", "--allow-remote"),
        ("ref: {$ref: 'https://me:secret@example.com/x'}", "remote-reference", "before the `@`"),
        ("ref: {$ref: 'https:///x.yaml'}", "dangling-reference", ""),
        ("ref: {$ref: 'https://example.com:port/x'}", "dangling-reference", ""),
        ("ref: {$ref: 'https://[::1/x'}", "dangling-reference", ""),
        ("ref: {$ref: '//example.com/x.yaml'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: '%2F%2Fexample.com/x'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: '\\\\server\\share\\x'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: '%5c%5cserver/x'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: 'file://server/x'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: 'file:/etc/passwd'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: 'file:%2Fetc%2Fpasswd'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: '%2e%2e/other.yaml'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: 'a/../..%2Fother.yaml'}", "reference-outside-project", "copy the file"),
        ("ref: {$ref: 'parts\\x.yaml'}", "dangling-reference", "`parts/x.yaml`"),
        ("ref: {$ref: 'urn:example:x'}", "dangling-reference", ""),
        ("ref: {$ref: Main.yaml}", "dangling-reference", "did you mean `main.yaml`?"),
    ],
)
def test_what_cannot_be_followed_is_told_with_a_remedy(
    tmp_path: Path, text: str, name: str, help_: str
) -> None:
    files = files_of(tmp_path, main=text)
    reference = root_of(files, tmp_path).value["ref"]
    assert files.follow(reference) is None
    assert files.follow(reference) is None  # and told once
    (found,) = files.findings
    assert found.name == name
    assert help_ in (found.help or "")


@pytest.mark.parametrize(
    "text",
    [
        "ref: {$ref: '#/ref'}",
        "ref: {$ref: '#/a'}\na: {$ref: '#/ref'}",
        "ref: {$ref: '#/ref/x'}",
        "ref: {$ref: '#/a/x'}\na: {$ref: '#/ref/y'}",
    ],
)
def test_a_reference_that_names_only_itself_ends(tmp_path: Path, text: str) -> None:
    files = files_of(tmp_path, main=text)
    assert files.follow(root_of(files, tmp_path).value["ref"]) is None
    assert {found.name for found in files.findings} == {"reference-to-itself"}


def test_a_link_does_not_lead_out_of_the_project(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("secret: 1")
    inside = tmp_path / "project"
    inside.mkdir()
    (inside / "link.yaml").symlink_to(outside)
    files = files_of(inside, main="ref: {$ref: link.yaml}")
    assert files.follow(root_of(files, inside).value["ref"]) is None
    assert files.findings[0].name == "reference-outside-project"


def test_the_project_is_the_git_repository_or_the_folder(tmp_path: Path) -> None:
    spec = tmp_path / "services" / "orders" / "asyncapi.yaml"
    spec.parent.mkdir(parents=True)
    assert project_root(spec) == spec.parent.resolve()
    (tmp_path / ".git").mkdir()
    assert project_root(spec) == tmp_path.resolve()


def test_a_broken_file_is_told_about_once(tmp_path: Path) -> None:
    files = files_of(
        tmp_path,
        main="a: {$ref: 'broken.yaml#/x'}\nb: {$ref: 'broken.yaml#/y'}",
        broken="x: [",
    )
    root = root_of(files, tmp_path)
    assert files.follow(root.value["a"]) is None
    assert files.follow(root.value["b"]) is None
    assert [found.name for found in files.findings] == ["yaml-syntax"]
