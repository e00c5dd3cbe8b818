"""The only place that knows the protocols: what clients may say, in which form, and what they are answered."""
