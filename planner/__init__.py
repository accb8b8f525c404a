"""Policy on land: what is low-efficient, what to redevelop, when; with a proven optimality gap."""
