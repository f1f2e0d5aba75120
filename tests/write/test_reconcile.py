"""What is done about each path, on the file systems that people have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from eventgen.plan.kinds import Owner, RenderedFile
from eventgen.write import manifest
from eventgen.write.apply import ChangedMeanwhileError, apply, load_manifest
from eventgen.write.paths import OutsideProjectError
from eventgen.write.reconcile import CaseTwinsError, Deed, Step, moved_to, reconcile

from tests.write.projects import NEW, OLD, again, generate, plan, tree


def deeds(steps: tuple[Step, ...]) -> dict[str, Deed]:
    return {step.path: step.deed for step in steps if step.deed is not Deed.KEEP}


def test_line_ends_are_no_edit(tmp_path: Path) -> None:
    root = again(tmp_path / "project")
    (root / "src/a.py").write_bytes(b"a = 1\r\n")

    assert not deeds(plan(root, OLD))
    assert deeds(generate(root, NEW))["src/a.py"] is Deed.UPDATE
    assert (root / "src/a.py").read_bytes() == b"a = 2\n"


def test_a_read_only_file_is_replaced_and_stays_read_only(tmp_path: Path) -> None:
    root = again(tmp_path / "project")
    (root / "src/a.py").chmod(0o444)

    generate(root, NEW)

    assert (root / "src/a.py").read_text("utf-8") == "a = 2\n"
    assert (root / "src/a.py").stat().st_mode & 0o777 == 0o444


def test_a_link_in_the_place_of_a_generated_file_is_an_edit(tmp_path: Path) -> None:
    root = again(tmp_path / "project")
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text("a = 1\n", encoding="utf-8")
    (root / "src/a.py").unlink()
    (root / "src/a.py").symlink_to(elsewhere)

    assert deeds(generate(root, NEW))["src/a.py"] is Deed.EDITED
    assert elsewhere.read_text("utf-8") == "a = 1\n"


@pytest.mark.parametrize("link", ["src", ".eventgen"])
def test_a_linked_folder_leads_nowhere_outside(link: str, tmp_path: Path) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / link).symlink_to(outside)

    with pytest.raises(OutsideProjectError, match="symbolic link"):
        generate(root, OLD)
    assert not list(outside.iterdir())


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../../x", ".git/hooks/x", ".GIT/x", "a\\..\\x", "C:x", "a\nb", "a\0b"]
)
def test_no_path_leaves_the_project(path: str, tmp_path: Path) -> None:
    root = again(tmp_path / "project")
    before = tree(tmp_path)
    known = f"eventgen-manifest 1\n{manifest.digest(b'')} generated {path}\n"

    assert path not in manifest.parse(known)
    with pytest.raises(OutsideProjectError):
        generate(root, [RenderedFile(path, "x\n", Owner.TOOL)])
    assert tree(tmp_path) == before


def test_names_that_differ_in_case_only_are_refused() -> None:
    files = [RenderedFile(path, "", Owner.TOOL) for path in ("a/On_x.py", "a/on_x.py")]

    with pytest.raises(CaseTwinsError, match=r"`a/On_x\.py` and `a/on_x\.py`"):
        reconcile(files, {}, lambda _: None)


def test_where_case_does_not_count_a_file_follows_its_name() -> None:
    known = {"On_x.py": manifest.Entry("On_x.py", (manifest.digest(b"1\n"),), Owner.TOOL)}

    steps = reconcile([RenderedFile("on_x.py", "2\n", Owner.TOOL)], known, lambda _: b"1\n")

    assert deeds(steps) == {"On_x.py": Deed.REMOVE, "on_x.py": Deed.UPDATE}


def test_after_a_merge_of_manifests_either_content_is_ours(tmp_path: Path) -> None:
    root = again(tmp_path / "project")
    listing = root / manifest.PATH
    other = f"{manifest.digest(b'a = 3' + bytes([10]))} generated src/a.py\n"
    listing.write_text(listing.read_text("utf-8") + other, encoding="utf-8")
    (root / "src/a.py").write_text("a = 3\n", encoding="utf-8")

    assert deeds(generate(root, NEW))["src/a.py"] is Deed.UPDATE
    assert other not in listing.read_text("utf-8")


def test_an_edited_handler_that_nothing_asks_for_is_kept_and_its_new_place_known(
    tmp_path: Path,
) -> None:
    root = again(tmp_path / "project")
    (root / "src/handlers/on_x.py").write_text("x = 'mine'\n", encoding="utf-8")

    steps = generate(root, NEW)

    (orphan,) = (step for step in steps if step.deed is Deed.ORPHAN)
    assert moved_to(orphan, steps) == "src/handlers/on_y.py"
    assert (root / "src/handlers/on_x.py").read_text("utf-8") == "x = 'mine'\n"
    assert deeds(generate(root, OLD))["src/handlers/on_y.py"] is Deed.REMOVE
    assert (root / "src/handlers/on_x.py").read_text("utf-8") == "x = 'mine'\n"


def test_what_changes_between_the_plan_and_the_write_is_not_overwritten(tmp_path: Path) -> None:
    root = again(tmp_path / "project")
    steps = plan(root, NEW)
    (root / "src/a.py").write_text("mine\n", encoding="utf-8")
    before = tree(root)

    with pytest.raises(ChangedMeanwhileError, match=r"src/a\.py"):
        apply(root, steps, load_manifest(root))
    assert tree(root) == before


def test_files_that_stay_the_same_are_not_touched(tmp_path: Path) -> None:
    root = again(tmp_path / "project")
    os.utime(root / "same.txt", ns=(1, 1))

    generate(root, NEW)

    assert (root / "same.txt").stat().st_mtime_ns == 1


def test_what_is_appended_to_is_never_rewritten_removed_or_lost(tmp_path: Path) -> None:
    first, second = (RenderedFile(f"migrations/{n}.py", f"{n}\n", Owner.APPENDED) for n in (1, 2))
    generate(tmp_path, [first, second])
    rewritten = RenderedFile(first.path, "another\n", Owner.APPENDED)

    generate(tmp_path, [rewritten])  # another version of eventgen, which knows one of them

    assert (tmp_path / first.path).read_text("utf-8") == "1\n"
    assert (tmp_path / second.path).read_text("utf-8") == "2\n"
    assert {first.path, second.path} <= load_manifest(tmp_path).keys()
    (tmp_path / first.path).write_text("mine\n", encoding="utf-8")
    assert deeds(generate(tmp_path, [first])) == {first.path: Deed.EDITED}
    (tmp_path / first.path).unlink()
    assert deeds(generate(tmp_path, [first])) == {first.path: Deed.CREATE}


def test_a_file_has_the_owner_that_the_newer_version_says(tmp_path: Path) -> None:
    generate(tmp_path, [RenderedFile("1.py", "1\n", Owner.TOOL)])
    generate(tmp_path, [RenderedFile("1.py", "1\n", Owner.APPENDED)])

    assert load_manifest(tmp_path)["1.py"].owner is Owner.APPENDED
