"""What is true and what may happen next: pure functions over events, commands and states."""
