"""From rendered files to disk: the one place that writes."""

# Here, so that a run with nothing to do can look for it without importing the rest.
JOURNAL = ".eventgen/journal"
