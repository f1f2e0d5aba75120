"""How far a stream of messages is done, without a gap."""

from __future__ import annotations

from collections import deque


class Tracker:
    """Follows the offsets of one partition: they are added in order and done in any order.

    Offsets need not be contiguous: compaction and transaction markers leave gaps in Kafka's, and a
    table's identity column has them too. What counts is what was added and is not done yet.
    """

    __slots__ = ("_done", "_high", "_open")

    def __init__(self) -> None:
        self._open: deque[int] = deque()  # not known to be done from the left on, ascending
        self._done: set[int] = set()  # done, but behind one that is not
        self._high = -1  # the highest offset ever added

    def add(self, offset: int) -> None:
        """A message was taken from the broker. One that was added before is ignored."""
        if offset > self._high:
            self._high = offset
            self._open.append(offset)

    def done(self, offset: int) -> None:
        """A message needs no redelivery. An offset that is not open is ignored."""
        waiting = self._open
        if not waiting or not waiting[0] <= offset <= self._high:
            return
        self._done.add(offset)
        while waiting and waiting[0] in self._done:
            self._done.remove(waiting.popleft())

    def committable(self) -> int | None:
        """The offset to start from after a crash: everything below it is done.

        None until the first message was added, as there is nothing to say then.
        """
        if self._open:
            return self._open[0]
        return self._high + 1 if self._high >= 0 else None

    def __len__(self) -> int:
        """How many messages are not done, or wait behind one that is not."""
        return len(self._open)
