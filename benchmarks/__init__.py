"""Cases, baselines and measurements of the planner."""
