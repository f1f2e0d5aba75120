"""One module a verb: the only place that reads the command line and prints."""
