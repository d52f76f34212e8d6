"""The report of a run: what happened, counted from its log, as text, as a page, and as a picture."""
