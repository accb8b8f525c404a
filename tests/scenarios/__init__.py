"""The planning cases: their facts, and that they can be planned."""
