"""Reads a specification, in any dialect, into the model; alone in knowing YAML and JSON Schema."""
