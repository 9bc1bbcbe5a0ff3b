"""The images over DICOMweb (PS3.18), as far as the caller may see them."""
