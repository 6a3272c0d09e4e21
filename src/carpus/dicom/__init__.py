"""CR and DX radiographs in DICOM; the only place for DICOM libraries."""
