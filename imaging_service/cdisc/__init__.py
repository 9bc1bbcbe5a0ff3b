"""Trial data as CDISC data sets: read SDTM, score it with the rules, write SDTM and ADaM."""
