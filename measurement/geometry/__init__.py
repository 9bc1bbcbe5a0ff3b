"""Points, outlines and distances in the patient coordinate system."""
