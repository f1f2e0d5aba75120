"""From planned files to text: the one place that knows Jinja, ruff and the schema engine."""
