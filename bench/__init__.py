"""Benchmark of Doorward against the bare primitives and against a peer, in one run on pinned cores."""
