"""Facts about land: reading, datums, repair, adjacency, zones, generated land, writing. No policy, no solver."""
