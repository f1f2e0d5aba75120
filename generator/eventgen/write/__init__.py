"""From rendered files to disk: the one place that writes."""
