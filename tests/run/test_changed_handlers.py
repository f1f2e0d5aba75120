"""What a change of the specification asks of a handler is a type error there, and never silent."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.generate import Run, eventgen, new_service, run

SPEC = """\
eventgen: 1
service: tills
publishes:
  till.opened: {version: 1.0.0, key: shop_id, data: {shop_id: uuid, number: integer}}
subscribes:
  shop.opened: {version: 1.0.0, key: shop_id, data: {shop_id: uuid, areas: integer}}
"""
HANDLER = "src/tills/handlers/on_shop_opened.py"
MINE = '''\
"""Tills for a new shop."""

from __future__ import annotations

from .._generated.events import ShopOpened, TillOpened
from .._generated.publishers import Context


async def on_shop_opened(event: ShopOpened, ctx: Context) -> None:
    """Open a till in each area."""
    for number in range(event.areas):
        ctx.publish(TillOpened(shop_id=event.shop_id, number=number))
'''
TESTED = """\
from __future__ import annotations

from tills._generated import examples
from tills._runtime.testing import HandlerRunner
from tills.handlers.on_shop_opened import on_shop_opened


async def test_a_till_in_each_area(handle: HandlerRunner) -> None:
    event = examples.shop_opened()
    assert len(await handle(on_shop_opened, event)) == event.areas
"""


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service whose handler is somebody's own, and has no type errors."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    root = new_service(folder, "--spec", folder / "spec.yaml", "--broker", "embedded")
    (root / HANDLER).write_text(MINE, encoding="utf-8")
    (root / "tests/handlers/test_on_shop_opened.py").write_text(TESTED, encoding="utf-8")
    checked = types(root)
    assert checked.returncode == 0, checked.stdout
    return root


@pytest.fixture
def root(typed: Path, tmp_path: Path) -> Path:
    """A copy for one test, with what mypy knows of it."""
    return shutil.copytree(typed, tmp_path / "service")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            "areas: integer",
            "rooms: integer",
            f'{HANDLER}:11: error: "ShopOpened" has no attribute "areas"',
            id="property renamed",
        ),
        pytest.param(
            "areas: integer",
            "areas: string",
            f'{HANDLER}:11: error: No overload variant of "range" matches argument type "str"',
            id="type changed",
        ),
        pytest.param(
            "number: integer",
            "number: integer, opened_at: date-time",
            f'{HANDLER}:12: error: Missing named argument "opened_at" for "TillOpened"',
            id="publishes more",
        ),
        pytest.param(
            "till.opened",
            "till.installed",
            f'{HANDLER}:5: error: Module "tills._generated.events" has no attribute "TillOpened"',
            id="published event renamed",
        ),
        pytest.param(
            "shop.opened",
            "store.opened",
            f'{HANDLER}:5: error: Module "tills._generated.events" has no attribute "ShopOpened"',
            id="event renamed",
        ),
    ],
)
def test_a_handler_that_no_longer_fits_is_a_type_error_where_it_stands(
    before: str, after: str, said: str, root: Path
) -> None:
    change(root, before, after)

    assert eventgen("generate", cwd=root).returncode == 0
    checked = types(root)

    assert checked.returncode == 1
    assert said in checked.stdout
    assert (root / HANDLER).read_text("utf-8") == MINE


def test_a_handler_that_takes_another_event_than_it_gets_is_a_type_error(root: Path) -> None:
    text = MINE.replace("event: ShopOpened", "event: TillOpened")
    (root / HANDLER).write_text(text.replace("event.areas", "event.number"), encoding="utf-8")

    checked = types(root)

    assert checked.returncode == 1
    assert 'Argument 3 to "route" has incompatible type' in checked.stdout
    assert "subscribers.py" in checked.stdout


def test_code_of_an_event_that_is_gone_is_kept_and_told_where_it_goes(root: Path) -> None:
    change(root, "shop.opened", "store.opened")

    made = eventgen("generate", cwd=root)

    assert f"orphan   {HANDLER}: nothing asks for it any more, but it is yours" in made.stderr
    assert "move your code to src/tills/handlers/on_store_opened.py" in made.stderr
    assert "move your code to tests/handlers/test_on_store_opened.py" in made.stderr
    moved = MINE.replace("ShopOpened", "StoreOpened").replace("shop_opened", "store_opened")
    (root / "src/tills/handlers/on_store_opened.py").write_text(moved, encoding="utf-8")
    (root / HANDLER).unlink()
    (root / "tests/handlers/test_on_shop_opened.py").unlink()
    assert types(root).returncode == 0


def test_an_operation_that_is_removed_leaves_its_handler(root: Path) -> None:
    (root / "spec.yaml").write_text(SPEC.partition("subscribes:")[0], encoding="utf-8")

    made = eventgen("generate", cwd=root)

    assert made.returncode == 0, made.stderr
    assert f"orphan   {HANDLER}: nothing asks for it any more, but it is yours" in made.stderr
    assert "move your code" not in made.stderr
    assert (root / HANDLER).read_text("utf-8") == MINE
    assert f"{HANDLER}:5: error" in types(root).stdout


def test_an_operation_that_is_new_gets_a_stub_and_a_test_that_pass(root: Path) -> None:
    change(
        root, "subscribes:", "subscribes:\n  shop.closed: {version: 1.0.0, data: {at: date-time}}"
    )

    made = eventgen("generate", cwd=root)

    for path in ("src/tills/handlers/on_shop_closed.py", "tests/handlers/test_on_shop_closed.py"):
        assert f"created  {path}   (yours from now on)" in made.stderr
    assert types(root).returncode == 0
    tested = run(sys.executable, "-m", "pytest", "-q", "tests/handlers", cwd=root)
    assert "2 passed" in tested.stdout, tested.stdout


def change(root: Path, before: str, after: str) -> None:
    spec = (root / "spec.yaml").read_text("utf-8")
    assert before in spec
    (root / "spec.yaml").write_text(spec.replace(before, after), encoding="utf-8")


def types(root: Path) -> Run:
    return run(sys.executable, "-m", "mypy", cwd=root)
