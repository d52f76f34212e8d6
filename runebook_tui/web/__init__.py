"""The cockpit in a browser: the only package that imports aiohttp, jinja2 and textual-serve."""
