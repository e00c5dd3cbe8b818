"""Read models: what people and files are shown of a state. Pure."""
