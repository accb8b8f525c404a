"""Tools for those who build and hand on the planner; not part of what is installed."""
