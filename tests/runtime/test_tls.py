"""Which variables to correct, by what OpenSSL and the clients say."""

from __future__ import annotations

import pytest
from runtime import tls

SAID = {
    # Python's words, with the reason at the end.
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate": {"CA"},
    "certificate verify failed: IP address mismatch, certificate is not valid for '::1'": {"URL"},
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired": set(),
    # librdkafka's, for an unknown authority and for another name alike; which of the two it says
    # depends on when the handshake failed.
    "certificate verify failed: broker certificate could not be verified": {"CA", "URL"},
    "error:0A000086:SSL routines::certificate verify failed (after 4ms)": {"CA", "URL"},
    "[SSL: KEY_VALUES_MISMATCH] key values mismatch (_ssl.c:3900)": {"CERTIFICATE", "KEY"},
    "[SSL] PEM lib (_ssl.c:3895)": {"CERTIFICATE", "KEY", "PASSWORD"},
    "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2559)": {"CERTIFICATE"},
    "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)": {"URL"},
}
VARIABLES = {
    "ORDERS_X_URL": "URL",
    "ORDERS_X_SSL_CA_LOCATION": "CA",
    "ORDERS_X_SSL_CERTIFICATE_LOCATION": "CERTIFICATE",
    "ORDERS_X_SSL_KEY_LOCATION": "KEY",
    "ORDERS_X_SSL_KEY_PASSWORD": "PASSWORD",
}


@pytest.mark.parametrize("said", SAID)
def test_what_was_said_names_what_to_correct(said: str) -> None:
    advice = tls.advise(said, "ORDERS_X_URL", "ORDERS_X_")
    assert advice is not None
    assert {short for name, short in VARIABLES.items() if name in advice} == SAID[said]


def test_no_advice_is_given_about_anything_else() -> None:
    assert tls.advise("connection refused", "ORDERS_X_URL", "ORDERS_X_") is None
