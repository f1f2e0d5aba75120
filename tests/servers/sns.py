"""SNS in front of an ElasticMQ, which has no SNS: `python sns.py PORT ELASTICMQ FILE`.

One address for both services, as far as the tests use them. What is published to a topic goes to
the queues subscribed to it, as SNS does it with raw delivery; requests for SQS are handed on as
they are. Topics and subscriptions are kept in a file. SIGUSR1 closes every connection.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import ClientSession, ClientTimeout, web

ACCOUNT = "000000000000"
MOST_BYTES = 262_144
_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_JSON = "application/x-amz-json-1.0"
_BODY_BYTES = 4_000_000
# ElasticMQ orders the messages of a group by the millisecond in which they came.
_APART = 0.002


class Refused(Exception):  # noqa: N818  - as SNS calls it
    """An answer that is an error."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


class Front:
    """The topics, and the connection to ElasticMQ."""

    def __init__(self, queues: str, file: Path) -> None:
        self._queues = queues
        self._file = file
        self._turn = asyncio.Lock()
        self.session: ClientSession | None = None
        kept = json.loads(file.read_text()) if file.exists() else {}
        self._topics: dict[str, dict[str, Any]] = kept

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if "X-Amz-Target" in request.headers:
            return await self._hand_on(request, body)
        form = {name: str(value) for name, value in (await request.post()).items()}
        action = form["Action"]
        try:
            result = await getattr(self, f"_{action}")(form)
        except Refused as refused:
            text = f"<Error><Type>Sender</Type><Code>{refused.code}</Code></Error>"
            text = f'<ErrorResponse xmlns="{_NAMESPACE}">{text}</ErrorResponse>'
            return web.Response(text=text, status=refused.status, content_type="text/xml")
        text = f"<{action}Result>{result}</{action}Result>"
        text = f'<{action}Response xmlns="{_NAMESPACE}">{text}</{action}Response>'
        return web.Response(text=text, content_type="text/xml")

    async def _hand_on(self, request: web.Request, body: bytes) -> web.Response:
        names = ("Content-Type", "X-Amz-Target")
        headers = {name: request.headers[name] for name in names}
        assert self.session is not None
        async with self.session.post(self._queues, data=body, headers=headers) as answer:
            return web.Response(
                body=await answer.read(),
                status=answer.status,
                headers={
                    name: value for name, value in answer.headers.items() if "x-amz" in name.lower()
                },
                content_type=answer.content_type,
            )

    async def _ask(self, action: str, **arguments: Any) -> Any:
        """A request of our own to ElasticMQ."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{action}",
        }
        assert self.session is not None
        data = json.dumps(arguments)
        async with self.session.post(self._queues, data=data, headers=headers) as answer:
            found = json.loads(await answer.read())
            if answer.status != 200:
                raise Refused("InternalError", 500)
            return found

    def _topic(self, form: Mapping[str, str]) -> dict[str, Any]:
        try:
            return self._topics[form["TopicArn"]]
        except KeyError:
            raise Refused("NotFound", 404) from None

    def _keep(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self._topics))
        part.replace(self._file)

    async def _CreateTopic(self, form: Mapping[str, str]) -> str:  # noqa: N802
        arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:{form['Name']}"
        self._topics.setdefault(arn, {"attributes": _pairs(form, "Attributes"), "queues": []})
        self._keep()
        return f"<TopicArn>{arn}</TopicArn>"

    async def _GetTopicAttributes(self, form: Mapping[str, str]) -> str:  # noqa: N802
        topic = self._topic(form)
        found = topic["attributes"]
        pairs = (f"<key>{name}</key><value>{escape(v)}</value>" for name, v in found.items())
        entries = "".join(f"<entry>{pair}</entry>" for pair in pairs)
        return f"<Attributes>{entries}</Attributes>"

    async def _Subscribe(self, form: Mapping[str, str]) -> str:  # noqa: N802
        topic = self._topic(form)
        if _pairs(form, "Attributes").get("RawMessageDelivery") != "true":
            raise Refused("InvalidParameter")
        if form["Endpoint"] not in topic["queues"]:
            topic["queues"].append(form["Endpoint"])
        self._keep()
        return f"<SubscriptionArn>{form['TopicArn']}:1</SubscriptionArn>"

    async def _ListSubscriptionsByTopic(self, form: Mapping[str, str]) -> str:  # noqa: N802
        members = "".join(
            f"<member><Protocol>sqs</Protocol><Endpoint>{queue}</Endpoint></member>"
            for queue in self._topic(form)["queues"]
        )
        return f"<Subscriptions>{members}</Subscriptions>"

    async def _PublishBatch(self, form: Mapping[str, str]) -> str:  # noqa: N802
        topic = self._topic(form)
        most = int(topic["attributes"].get("MaximumMessageSize", MOST_BYTES))
        entries = list(_entries(form))
        if sum(len(entry["MessageBody"].encode()) for entry in entries) > most:
            raise Refused("BatchRequestTooLong")
        async with self._turn:
            await asyncio.sleep(_APART)
            for queue in topic["queues"]:
                url = f"{self._queues}{ACCOUNT}/{queue.rpartition(':')[2]}"
                answer = await self._ask("SendMessageBatch", QueueUrl=url, Entries=entries)
                if answer.get("Failed"):
                    raise Refused("InternalError", 500)
        members = "".join(
            f"<member><Id>{entry['Id']}</Id><MessageId>1</MessageId></member>" for entry in entries
        )
        return f"<Successful>{members}</Successful><Failed/>"


def _pairs(form: Mapping[str, str], name: str) -> dict[str, str]:
    """A map of the query protocol."""
    pairs = {}
    number = 1
    while key := form.get(f"{name}.entry.{number}.key"):
        pairs[key] = form[f"{name}.entry.{number}.value"]
        number += 1
    return pairs


def _entries(form: Mapping[str, str]) -> Any:
    """The messages of a batch, as SQS takes them."""
    number = 1
    while (start := f"PublishBatchRequestEntries.member.{number}.") + "Id" in form:
        attributes = {}
        place = 1
        while (one := f"{start}MessageAttributes.entry.{place}.") + "Name" in form:
            value = {
                "DataType": form[one + "Value.DataType"],
                "StringValue": form[one + "Value.StringValue"],
            }
            attributes[form[one + "Name"]] = value
            place += 1
        names = ("Id", "MessageGroupId", "MessageDeduplicationId")
        entry = {name: form[start + name] for name in names if start + name in form}
        yield {**entry, "MessageBody": form[start + "Message"], "MessageAttributes": attributes}
        number += 1


async def serve(port: int, queues: str, file: Path) -> None:
    front = Front(queues, file)
    app = web.Application(client_max_size=_BODY_BYTES)
    app.router.add_post("/{path:.*}", front.answer)
    runner = web.AppRunner(app)
    async with ClientSession(timeout=ClientTimeout(total=60)) as front.session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

        def cut() -> None:
            for connection in list(runner.server.connections if runner.server else ()):
                if connection.transport is not None:
                    connection.transport.abort()

        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, cut)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
