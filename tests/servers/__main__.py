"""`python -m tests.servers install|find`: get what the tests need, or say where it is."""

from __future__ import annotations

import sys

from tests.servers import kafka, nats, postgres, rabbitmq, redis, sqs
from tests.servers.base import Missing
from tests.servers.programs import CHROMIUM, NPM


def main(arguments: list[str]) -> int:
    """0 when every server can be had; 1, naming what is missing, when one cannot."""
    if arguments not in (["install"], ["find"]):
        print(__doc__, file=sys.stderr)
        return 2
    failed = False
    servers = (
        ("kafka", kafka),
        ("nats", nats),
        ("postgres", postgres),
        ("rabbitmq", rabbitmq),
        ("redis", redis),
        ("sqs", sqs),
        ("npm", NPM),
        ("chromium", CHROMIUM),
    )
    for name, server in servers:
        try:
            how = server.install() if arguments == ["install"] else str(server.find())
        except Missing as missing:
            failed = True
            how = f"MISSING. {missing}"
        print(f"{name}: {how}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
