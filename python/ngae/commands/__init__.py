"""The commands of the command line, one a file; parsers here need no torch."""
