"""`specthread check`: finds spec documents of every dialect, tells what is wrong in them, and mends what can be mended."""
