"""The service's runtime: outbox, relay, inbox, lanes, transports. Plain code, copied verbatim.

Nothing in here knows the service it runs in; what is specific arrives as a `Service` value.
"""
