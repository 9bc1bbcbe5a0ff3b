import pytest

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.records import Outcome
from dicom_listener.archive.senders import Sender, networks_from
from dicom_listener.errors import SenderRegistrationError
from dicom_listener.network.senders import printable, recognise


def sender(calling_ae: str = "MRI_1", site_id: str = "S1", networks: str = "10.1.0.0/16 ::1/128") -> Sender:
    return Sender(
        calling_ae=calling_ae,
        called_ae="IMAGING",
        networks=networks_from(networks.split()),
        site_id=site_id,
    )


@pytest.mark.parametrize(
    ("calling_ae", "called_ae", "address", "expected"),
    [
        ("MRI_1", "IMAGING", "10.1.2.3", "S1"),
        ("MRI_1", "IMAGING", "::1", "S1"),
        ("MRI_1", "IMAGING", "::ffff:10.1.2.3", "S1"),
        ("MRI_2", "IMAGING", "10.1.2.3", "S2"),
        ("MRI_3", "IMAGING", "10.1.2.3", Outcome.REFUSED_CALLING_AE),
        ("mri_1", "IMAGING", "10.1.2.3", Outcome.REFUSED_CALLING_AE),
        ("", "IMAGING", "10.1.2.3", Outcome.REFUSED_CALLING_AE),
        ("MRI_1", "OTHER", "10.1.2.3", Outcome.REFUSED_CALLED_AE),
        ("MRI_1", "IMAGING", "10.2.2.3", Outcome.REFUSED_NETWORK),
        ("MRI_1", "IMAGING", "not an address", Outcome.REFUSED_NETWORK),
    ],
)
def test_a_sender_is_known_by_both_titles_and_its_network(
    archive: Archive, calling_ae: str, called_ae: str, address: str, expected: str | Outcome
) -> None:
    senders.add(archive.database, sender())
    senders.add(archive.database, sender("MRI_2", "S2"))
    found = recognise(archive.database, calling_ae, called_ae, address)
    assert (found.site_id if isinstance(found, Sender) else found) == expected


def test_senders_are_added_listed_and_removed(archive: Archive) -> None:
    senders.add(archive.database, sender("B"))
    senders.add(archive.database, sender("A"))
    with pytest.raises(SenderRegistrationError, match="registered for 'IMAGING' already"):
        senders.add(archive.database, sender("A", "S9"))
    with archive.database.read() as connection:
        assert senders.all_of(connection) == (sender("A"), sender("B"))
    senders.remove(archive.database, "A", "IMAGING")
    with pytest.raises(SenderRegistrationError, match="No sender 'A'"):
        senders.remove(archive.database, "A", "IMAGING")


@pytest.mark.parametrize("title", ["", " ", " A", "A ", "A" * 17, "A\\B", "A\nB", "Ä"])
def test_a_title_that_no_association_can_carry_is_refused(title: str) -> None:
    with pytest.raises(SenderRegistrationError, match="1 to 16 printable"):
        sender(title)


@pytest.mark.parametrize("network", ["", "10.1.2.3/8", "10.1", "hospital.example"])
def test_a_network_that_is_none_is_refused(network: str) -> None:
    with pytest.raises(SenderRegistrationError, match="network"):
        sender(networks=network)


@pytest.mark.parametrize("site_id", ["", "  ", "S1\n"])
def test_a_sender_belongs_to_a_site(site_id: str) -> None:
    with pytest.raises(SenderRegistrationError, match="The site is"):
        sender(site_id=site_id)


def test_a_title_is_made_safe_for_a_log_line() -> None:
    assert printable("A\nB\x00é\x1b[0m" + "x" * 40) == "A?B???[0mxxxxxxx"
