"""What a specification refers to on other machines: read only when allowed, cached and locked."""
