"""The pages: static ES modules, styles and the one document that loads them, served as they are written."""
