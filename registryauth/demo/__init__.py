"""Guided tours, each step of which runs the very command that it shows, against a simulator that the tour serves on loopback.

`registry_tour` is that of one registry, `azure_tour` follows Azure ML's how-to. Both play on a `stage` of their own, which is gone
afterwards.
"""
