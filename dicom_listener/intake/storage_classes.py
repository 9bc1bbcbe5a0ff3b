"""Which SOP classes are kept (PS3.4 Annex B.5), whatever door they come through."""

from collections.abc import Collection, Iterator

from dicom_listener.choices import FurtherModality

_STORAGE = "1.2.840.10008.5.1.4.1.1."

STORAGE_CLASSES = {
    "MR Image": "4",
    "Enhanced MR Image": "4.1",
    "MR Spectroscopy": "4.2",
    "Enhanced MR Color Image": "4.3",
    "Legacy Converted Enhanced MR Image": "4.4",
    "Secondary Capture Image": "7",
    "Multi-frame Single Bit Secondary Capture Image": "7.1",
    "Multi-frame Grayscale Byte Secondary Capture Image": "7.2",
    "Multi-frame Grayscale Word Secondary Capture Image": "7.3",
    "Multi-frame True Color Secondary Capture Image": "7.4",
    "Grayscale Softcopy Presentation State": "11.1",
    "Color Softcopy Presentation State": "11.2",
    "Pseudo-Color Softcopy Presentation State": "11.3",
    "Blending Softcopy Presentation State": "11.4",
    "Parametric Map": "30",
    "Raw Data": "66",
    "Spatial Registration": "66.1",
    "Spatial Fiducials": "66.2",
    "Deformable Spatial Registration": "66.3",
    "Segmentation": "66.4",
    "Surface Segmentation": "66.5",
    "Real World Value Mapping": "67",
    "Basic Text SR": "88.11",
    "Enhanced SR": "88.22",
    "Comprehensive SR": "88.33",
    "Comprehensive 3D SR": "88.34",
    "Extensible SR": "88.35",
    "Mammography CAD SR": "88.50",
    "Key Object Selection Document": "88.59",
    "Chest CAD SR": "88.65",
    "X-Ray Radiation Dose SR": "88.67",
    "Acquisition Context SR": "88.71",
    "Encapsulated PDF": "104.1",
    "RT Structure Set": "481.3",
}

FURTHER_CLASSES = {
    FurtherModality.CT: {
        "CT Image": "2",
        "Enhanced CT Image": "2.1",
        "Legacy Converted Enhanced CT Image": "2.2",
    },
    FurtherModality.PT: {
        "Positron Emission Tomography Image": "128",
        "Legacy Converted Enhanced PET Image": "128.1",
        "Enhanced PET Image": "130",
    },
    FurtherModality.US: {
        "Ultrasound Multi-frame Image": "3.1",
        "Ultrasound Image": "6.1",
        "Enhanced US Volume": "6.2",
    },
}


def storage_uids(further: Collection[FurtherModality]) -> Iterator[str]:
    """Name the SOP classes that are received."""
    for suffix in STORAGE_CLASSES.values():
        yield _STORAGE + suffix
    for modality in sorted(further):
        for suffix in FURTHER_CLASSES[modality].values():
            yield _STORAGE + suffix
