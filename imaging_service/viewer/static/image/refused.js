// The pixels of a frame cannot be shown, for a reason that the reader is told.

export class FrameRefusedError extends Error {}
