"""Real servers for the tests, without Docker where possible.

One module per server, each with the same four verbs: `find` (how it can be had on this machine, or
`Missing`), `install`, `start`, and `kill` on what `start` returned. Servers listen on 127.0.0.1 at
a free port, keep their data in a temporary folder, and are killed by their own process id.
"""
