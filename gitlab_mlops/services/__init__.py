"""Verbs on nouns: what can be done with experiments and candidates. Each takes access first."""
