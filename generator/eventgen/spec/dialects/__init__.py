"""One module for each way of writing a specification: `detect(root)` and `read(root, reading)`."""
