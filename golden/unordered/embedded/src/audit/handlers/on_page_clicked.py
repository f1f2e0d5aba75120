"""What happens when PageClicked arrives. This file is yours."""

from __future__ import annotations

from .._generated.events import PageClicked
from .._generated.publishers import Context


async def on_page_clicked(event: PageClicked, ctx: Context) -> None:
    """Handle one PageClicked."""
    # What you write through ctx.db and publish through ctx.publish happens exactly once, or not
    # at all. Calls to other systems may repeat: give them ctx.idempotency_key.
    ctx.logger.info("page_clicked received", payload=event.model_dump(mode="json"))
