"""The evidence: what Runebook promises, measured beside what people use instead, on one page."""
