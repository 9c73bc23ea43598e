"""Parts of the stand-in that have no counterpart in the real launch package."""
