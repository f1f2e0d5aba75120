"""Verbs that name what to do, and what has happened when it is done.

Only words that are hardly ever nouns: `order.create` is not a thing, `order.report` may be. Those
of `NOUNS` are verbs only where they stand for themselves: `order.update`, but not `OrderUpdate`.
"""

from __future__ import annotations

_REGULAR_E = (
    "activate approve authorize complete create deactivate decline delete disable enable"
    " expire finalize initiate invalidate migrate reactivate receive remove rename replace reserve"
    " resolve restore resume revoke subscribe terminate unsubscribe validate"
)
_REGULAR = (
    "accept add assign confirm deliver dispatch enroll expand extend fail fulfill insert install"
    " publish register reject renew reopen suspend unblock unlock upload"
)
_OTHERS = {
    "apply": "applied",
    "begin": "begun",
    "cancel": "cancelled",
    "deny": "denied",
    "modify": "modified",
    "notify": "notified",
    "pay": "paid",
    "send": "sent",
    "ship": "shipped",
    "submit": "submitted",
    "verify": "verified",
    "withdraw": "withdrawn",
}
NOUNS = {
    "change": "changed",
    "close": "closed",
    "end": "ended",
    "open": "opened",
    "start": "started",
    "stop": "stopped",
    "update": "updated",
}
PAST = {
    **{verb: f"{verb}d" for verb in _REGULAR_E.split()},
    **{verb: f"{verb}ed" for verb in _REGULAR.split()},
    **_OTHERS,
}
