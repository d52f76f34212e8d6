"""The Textual face: the only package that imports textual."""
