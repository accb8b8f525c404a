"""What follows from the way a block is redeveloped: payments, consent, decanting, new space.

`planner.modes.terms` holds the types; `planner.spec_modes` the configuration they are made from.
"""
