"""Projects that look for land: read, judged, matched to the blocks of a plan, and what they bring year by year."""
