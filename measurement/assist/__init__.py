"""Suggestions to a reader: an outline from a click, a lesion's place in the next study, kinetic values.

Nothing here is ever taken as a measurement. A reader accepts, edits or rejects what is proposed.
"""
