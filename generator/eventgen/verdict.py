"""What becomes of findings: which are reported, and how bad each is."""
