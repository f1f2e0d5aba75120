"""eventgen: event-driven Python services from an event specification."""

__version__ = "0.1.0"
