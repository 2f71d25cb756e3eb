"""The messages of the protocol, version 1: generated, see `proto/README.md`."""
