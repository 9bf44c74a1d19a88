"""Mutants that no test can notice, each with the reason: ``(part, the mutated line)``; read by ``mutations``."""

EQUIVALENT = {}
