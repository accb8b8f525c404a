"""What became of a plan: entries about its projects, and what follows from them."""
