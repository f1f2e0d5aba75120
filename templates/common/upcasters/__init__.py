"""Your upcasters: each makes one version of an event into the next."""
