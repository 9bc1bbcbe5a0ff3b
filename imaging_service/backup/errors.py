"""Why a backup is not made or not put back."""

from imaging_service.errors import SettingsError


class BackupError(SettingsError):
    """The message says what was found and what was wanted; nothing that ran before was changed."""
