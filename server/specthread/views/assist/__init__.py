"""What editors are helped with: offers, and what can be known of a place in a spec. Pure functions without words of any protocol."""
