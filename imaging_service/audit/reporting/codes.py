"""Codes of audit messages (PS3.16 CID 400 to 405, PS3.15 A.5.1.2.4)."""

from imaging_service.audit.reporting.message import Code

APPLICATION_ACTIVITY = Code(value="110100", meaning="Application Activity")
INSTANCES_ACCESSED = Code(value="110103", meaning="DICOM Instances Accessed")
INSTANCES_TRANSFERRED = Code(value="110104", meaning="DICOM Instances Transferred")
EXPORT = Code(value="110106", meaning="Export")
QUERY = Code(value="110112", meaning="Query")
SECURITY_ALERT = Code(value="110113", meaning="Security Alert")
USER_AUTHENTICATION = Code(value="110114", meaning="User Authentication")

APPLICATION_START = Code(value="110120", meaning="Application Start")
APPLICATION_STOP = Code(value="110121", meaning="Application Stop")
LOGIN = Code(value="110122", meaning="Login")
LOGOUT = Code(value="110123", meaning="Logout")
NODE_AUTHENTICATION = Code(value="110126", meaning="Node Authentication")
SECURITY_CONFIGURATION = Code(value="110129", meaning="Security Configuration")
SECURITY_ROLES_CHANGED = Code(value="110136", meaning="Security Roles Changed")
USER_ATTRIBUTES_CHANGED = Code(value="110137", meaning="User Security Attributes Changed")

APPLICATION = Code(value="110150", meaning="Application")
DESTINATION = Code(value="110152", meaning="Destination Role ID")
SOURCE = Code(value="110153", meaning="Source Role ID")
DESTINATION_MEDIA = Code(value="110154", meaning="Destination Media")
ADDRESS = Code(value="110037", meaning="URI")

STUDY_INSTANCE_UID = Code(value="110180", meaning="Study Instance UID")
SOP_CLASS_UID = Code(value="110181", meaning="SOP Class UID")
NODE_ID = Code(value="110182", meaning="Node ID")

PATIENT_NUMBER = Code(value="2", meaning="Patient Number", system="RFC-3881")
REPORT_NUMBER = Code(value="9", meaning="Report Number", system="RFC-3881")
USER_IDENTIFIER = Code(value="11", meaning="User Identifier", system="RFC-3881")
URI = Code(value="12", meaning="URI", system="RFC-3881")
ENTRY = Code(value="entry", meaning="Entry of the audit chain", system="imaging-service")
