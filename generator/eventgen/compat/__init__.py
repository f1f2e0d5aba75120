"""Whom a change of a specification breaks: producers that stay as they are, or consumers."""
