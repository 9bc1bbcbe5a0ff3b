"""The audit told to a collector: DICOM audit messages (PS3.15 A.5) over syslog with TLS (A.6)."""
