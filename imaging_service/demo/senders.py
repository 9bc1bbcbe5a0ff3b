"""Let the hospitals' PACS in: register each at the listener, as its operator would."""

from fixtures.demo.story import Story
from imaging_service.demo.progress import Progress
from imaging_service.demo.running import HOST, Installation


def register_senders(installation: Installation, story: Story, progress: Progress) -> None:
    """Register the sender of every site; one that is registered stays as it is."""
    registered = {
        line.split()[0] for line in installation.run(["dicom-listener", "senders", "list"]).splitlines()
    }
    for site in story.sites:
        if site.ae_title not in registered:
            sender = ["--calling-ae", site.ae_title, "--site", site.site_id, "--network", f"{HOST}/32"]
            installation.run(["dicom-listener", "senders", "add", *sender])
    names = " and ".join(site.ae_title for site in story.sites)
    progress.say(f"{names} may send to {installation.ae_title} on port {installation.dicom_port}.")
