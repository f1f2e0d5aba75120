"""Ways to show findings: for people (full), for `grep` and editors (concise), for programs."""
