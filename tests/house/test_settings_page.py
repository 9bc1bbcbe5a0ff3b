"""The page of settings is the settings."""

from tools.settings_page import PAGE, settings_page


def test_the_page_lists_every_setting_as_it_is() -> None:
    assert PAGE.read_text() == settings_page(), "the settings changed: python tools/settings_page.py"
