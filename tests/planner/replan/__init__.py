"""Plans again after something happened."""
