"""Compiled loops: what the stages of `minigan.fast` call."""
