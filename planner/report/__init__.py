"""What people see of a plan: the offline map, GIS layers with their styles, the summary."""
