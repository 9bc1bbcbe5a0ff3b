"""Everything that measurement refuses, in one tree.

* MeasurementError
  + ProtocolError
    - UnknownParameterError
    - MissingParameterError
    - ParameterValueError
  + ObservationError
  + TimepointSequenceError
  + SumNotEvaluableError
  + GeometryError
    - SpacingMissingError
      . SpacingInvalidError
    - OrientationMissingError
      . OrientationInvalidError
    - PositionMissingError
    - ImageSizeError
    - FrameMissingError
    - PointShapeError
    - PointOutsideImageError
    - PointOffPlaneError
    - ZeroLengthError
    - AxesDoNotCrossError
    - EmptyOutlineError
    - SeveralComponentsError
    - ComponentMissingError
    - MaskShapeError
    - MaskValueError
    - BoundaryError
    - OutlineCrossesItselfError
    - PlanesNotParallelError
    - SegmentMissingError
    - SegmentUnreadableError
  + SuggestionError
    - BoxTooSmallError
    - LesionNotFoundError
    - VolumesDifferError
    - StackUnevenError
"""

import reprlib


class MeasurementError(ValueError):
    """A measurement that cannot be used as given. Its text is a sentence for the person who gave it."""


class ProtocolError(MeasurementError):
    """A trial protocol that cannot be used as written."""


class UnknownParameterError(ProtocolError):
    """A protocol names a parameter that does not exist."""

    def __init__(self, where: str, name: str, known: tuple[str, ...]) -> None:
        """Name the parameter and those that are known at that place."""
        super().__init__(f"{where} has no parameter {name!r}; it knows {', '.join(known)}.")
        self.where = where
        self.name = name


class MissingParameterError(ProtocolError):
    """A protocol leaves out a parameter that has no default."""

    def __init__(self, where: str, name: str) -> None:
        """Name the parameter."""
        super().__init__(f"{where} needs the parameter {name!r}, which has no default.")
        self.where = where
        self.name = name


class ParameterValueError(ProtocolError):
    """A protocol's parameter has a value that it cannot have."""

    def __init__(self, name: str, found: object, wanted: str) -> None:
        """Say what was found and what was wanted."""
        super().__init__(f"The parameter {name!r} must be {wanted}; found {reprlib.repr(found)}.")
        self.name = name
        self.found = found


class ObservationError(MeasurementError):
    """An observation of a lesion that contradicts itself."""


class TimepointSequenceError(MeasurementError):
    """Timepoints of one subject that cannot be told apart or put in order."""


class SumNotEvaluableError(MeasurementError):
    """A sum of diameters is asked of lesions that were not all measured."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        """Name the lesions without a measurement."""
        super().__init__(
            f"The sum of diameters needs every target lesion measured; no diameter for {', '.join(missing)}."
        )
        self.missing = missing


class GeometryError(MeasurementError):
    """An image or an outline from which no length can be computed."""


class SpacingMissingError(GeometryError):
    """A frame has no calibrated pixel spacing, so its pixels have no size in mm."""

    def __init__(self, found: object) -> None:
        """Say what the frame has instead."""
        super().__init__(
            f"A length in mm needs Pixel Spacing (0028,0030) of two positive numbers; found {found}."
        )


class SpacingInvalidError(SpacingMissingError):
    """A spacing is zero, negative or not finite."""


class OrientationMissingError(GeometryError):
    """A frame has no usable image orientation (patient)."""

    def __init__(self, found: object) -> None:
        """Say what the frame has instead."""
        super().__init__(
            "A plane in the patient needs Image Orientation (Patient) (0020,0037) of two unit vectors "
            f"at a right angle; found {found}."
        )


class OrientationInvalidError(OrientationMissingError):
    """The direction cosines are not two unit vectors at a right angle."""


class PositionMissingError(GeometryError):
    """A frame has no usable image position (patient)."""

    def __init__(self, found: object) -> None:
        """Say what the frame has instead."""
        super().__init__(
            "A plane in the patient needs Image Position (Patient) (0020,0032) of three finite numbers; "
            f"found {found}."
        )


class ImageSizeError(GeometryError):
    """An image without pixels."""

    def __init__(self, rows: object, columns: object) -> None:
        """Say how many rows and columns there are."""
        super().__init__(f"An image needs at least one row and one column; found {rows} by {columns}.")


class FrameMissingError(GeometryError):
    """A frame number that the instance does not have."""

    def __init__(self, frame_number: int, frames: int) -> None:
        """Name the frame and how many have a plane."""
        super().__init__(
            f"Frame {frame_number} has no plane in the patient; the instance states it for {frames} frames."
        )


class PointShapeError(GeometryError):
    """Points that are not finite coordinates of the right number."""

    def __init__(self, size: int, found: str) -> None:
        """Say how many coordinates a point has and what was found."""
        super().__init__(f"Points are wanted as {size} finite numbers each; found {found}.")


class PointOutsideImageError(GeometryError):
    """A point does not lie on the frame that it was drawn on."""

    def __init__(self, column: float, row: float, columns: int, rows: int) -> None:
        """Name the point and the image's size."""
        super().__init__(
            f"The point (column {column:g}, row {row:g}) lies outside the image "
            f"of {columns} columns by {rows} rows."
        )


class PointOffPlaneError(GeometryError):
    """A patient point lies beside the plane that it was drawn on."""

    def __init__(self, distance_mm: float, tolerance_mm: float) -> None:
        """Say how far it is."""
        super().__init__(
            f"A point lies {distance_mm:.3g} mm from the image plane; "
            f"at most {tolerance_mm:g} mm are tolerated."
        )


class ZeroLengthError(GeometryError):
    """Both ends of an axis are the same point."""

    def __init__(self, column: float, row: float) -> None:
        """Name the point."""
        super().__init__(f"An axis needs two different points; both are (column {column:g}, row {row:g}).")


class AxesDoNotCrossError(GeometryError):
    """A short axis that was not drawn across its long axis."""

    def __init__(self, gap_mm: float) -> None:
        """Say how far apart the axes are."""
        super().__init__(f"The short axis must cross the long axis; they are {gap_mm:.2f} mm apart.")


class EmptyOutlineError(GeometryError):
    """A mask or contour without any extent."""

    def __init__(self, found: int, unit: str) -> None:
        """Say how many points or pixels there are."""
        super().__init__(
            f"A lesion needs at least one pixel, or an outline of three points; found {found} {unit}."
        )


class SeveralComponentsError(GeometryError):
    """A mask holds several separate lesions and none was chosen."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        """Say how many pixels each component has."""
        super().__init__(
            f"A measurement is of one connected lesion; the mask holds {len(sizes)} "
            f"of {', '.join(map(str, sizes[:8]))}{' ...' if len(sizes) > 8 else ''} pixels. Choose one."
        )
        self.sizes = sizes


class ComponentMissingError(GeometryError):
    """The chosen voxel is not part of any lesion."""

    def __init__(self, index: tuple[int, ...]) -> None:
        """Name the voxel."""
        super().__init__(f"A component is chosen by a voxel inside it; {index} is not in the mask.")


class MaskShapeError(GeometryError):
    """An array that is not one slice or a stack of slices."""

    def __init__(self, shape: tuple[int, ...], kind: object) -> None:
        """Say what the array is."""
        super().__init__(
            "Wanted are two axes (row, column) or three (slice, row, column) of finite numbers; "
            f"found shape {shape} of {kind}."
        )


class MaskValueError(GeometryError):
    """A mask that says more than inside and outside."""

    def __init__(self, found: float) -> None:
        """Name one value."""
        super().__init__(f"A mask holds booleans, or numbers that are 0 or 1; found {found:g}.")


class BoundaryError(GeometryError):
    """A boundary convention that a mask does not have."""

    def __init__(self, found: str, known: tuple[str, ...]) -> None:
        """Name the convention and those that a mask has."""
        super().__init__(f"The outline of a mask runs by {', '.join(known)}; found {found!r}.")


class OutlineCrossesItselfError(GeometryError):
    """An outline whose inside is not defined."""

    def __init__(self) -> None:
        """Say what is wanted."""
        super().__init__("A short axis needs an outline that does not cross itself; this one does.")


class PlanesNotParallelError(GeometryError):
    """Slices that do not form one stack."""

    def __init__(self, found: float, what: str) -> None:
        """Say what differs."""
        super().__init__(f"A stack needs parallel slices of one frame of reference; found {found} {what}.")


class SegmentMissingError(GeometryError):
    """A segmentation does not hold the segment that was asked for."""

    def __init__(self, segment_number: int, known: tuple[int, ...]) -> None:
        """Name the segment and those that exist."""
        super().__init__(f"The segment {segment_number} has no frames; the segmentation holds {list(known)}.")


class SegmentUnreadableError(GeometryError):
    """A segmentation whose frames cannot be decoded."""

    def __init__(self, reason: object) -> None:
        """Say what the decoder said."""
        super().__init__(f"The frames of a segmentation must be readable; the decoder says: {reason}.")


class SuggestionError(MeasurementError):
    """Nothing can be suggested from what was given."""


class BoxTooSmallError(SuggestionError):
    """A rough box without room for a lesion."""

    def __init__(self, columns: float, rows: float) -> None:
        """Say how large the box is."""
        super().__init__(
            f"A box around a lesion is at least 2 by 2 pixels; found {columns:.1f} by {rows:.1f}."
        )


class LesionNotFoundError(SuggestionError):
    """Nothing stands out where the reader points."""

    def __init__(self, reason: str) -> None:
        """Say what was seen instead."""
        super().__init__(f"No lesion is found at this point: {reason}. Draw the axes, or a box around it.")


class VolumesDifferError(SuggestionError):
    """Phases of a dynamic series that cannot be compared voxel by voxel."""

    def __init__(self, first: tuple[int, ...], second: tuple[int, ...]) -> None:
        """Name both sizes."""
        super().__init__(
            f"Phases are compared voxel by voxel and need one size; found {first} and {second} "
            "(slices, rows, columns)."
        )


class StackUnevenError(SuggestionError):
    """Slices that do not fill a volume evenly."""

    def __init__(self, slices: int, shortest_mm: float, longest_mm: float) -> None:
        """Say how the slices lie."""
        super().__init__(
            "A volume needs at least 2 parallel slices at one distance; "
            f"found {slices} at distances of {shortest_mm:.2f} to {longest_mm:.2f} mm."
        )
