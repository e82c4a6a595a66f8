"""Files that are not read here → what they are, in words, known by their first bytes."""

from . import tiff_header

_CONVERT = "convert it to JPEG or PNG first"
_RAW = f"a RAW photograph ({{}}): {_CONVERT}"
_MAKERS = {
    b"NIKON": "NEF",
    b"Nikon": "NEF",
    b"SONY": "ARW",
    b"PENTAX": "PEF",
    b"RICOH": "PEF",
    b"SAMSUNG": "SRW",
    b"Hasselblad": "3FR",
    b"Canon": "CR2",
    b"Phase One": "IIQ",
    b"Leaf": "MOS",
    b"EASTMAN KODAK": "DCR",
    b"Kodak": "DCR",
    b"SEIKO EPSON": "ERF",
}

_PICTURES = (
    (0, b"FUJIFILMCCD-RAW", _RAW.format("RAF")),
    (0, b"IIU\0", _RAW.format("RW2")),
    (0, (b"IIRO", b"IIRS", b"MMOR"), _RAW.format("ORF")),
    (6, b"HEAPCCDR", _RAW.format("CRW")),
    (0, b"FOVb", _RAW.format("X3F")),
    (0, b"\0MRM", _RAW.format("MRW")),
    (4, b"ftypcrx ", _RAW.format("CR3")),
    (0, b"8BPS", f"a Photoshop document (PSD): {_CONVERT}"),
    (0, b"gimp xcf", f"a GIMP document (XCF): {_CONVERT}"),
    (0, b"v/1\x01", f"an OpenEXR picture: {_CONVERT}"),
    (0, b"SIMPLE  =", f"an astronomical picture (FITS): {_CONVERT}"),
    (0, (b"#?RADIANCE", b"#?RGBE"), f"a Radiance picture (HDR): {_CONVERT}"),
    (128, b"DICM", f"a medical picture (DICOM): {_CONVERT}"),
    (0, b"\0\0\1\0", f"a Windows icon (ICO): {_CONVERT}"),
    (0, b"icns", f"an Apple icon (ICNS): {_CONVERT}"),
    (0, b"DDS ", f"a texture (DDS): {_CONVERT}"),
    (0, b"qoif", f"a QOI picture: {_CONVERT}"),
    (0, (b"II\xbc\1", b"II\xbc\0"), f"a JPEG XR picture: {_CONVERT}"),
    (0, b"BPG\xfb", f"a BPG picture: {_CONVERT}"),
    (0, b"AT&TFORM", f"a DjVu document: {_CONVERT}"),
    (0, b"\xd7\xcd\xc6\x9a", f"a Windows metafile (WMF): {_CONVERT}"),
    (40, b" EMF", f"a Windows metafile (EMF): {_CONVERT}"),
    (0, (b"\x59\xa6\x6a\x95", b"\x01\xda\0", b"\x01\xda\1"), f"a Sun or SGI picture: {_CONVERT}"),
)
_OTHERS = (
    (0, b"%PDF", f"a PDF document, no picture: {_CONVERT}"),
    (0, (b"%!PS", b"\xc5\xd0\xd3\xc6"), f"a PostScript document (EPS): {_CONVERT}"),
    (4, (b"ftyphe", b"ftypmif1", b"ftypmsf1", b"ftypavi"), "damaged: it begins as HEIC or AVIF, but cannot be opened"),
    (4, b"ftyp", "a video (MP4 or MOV), no picture: send single pictures of it"),
    (4, (b"moov", b"mdat", b"wide"), "a video (MOV), no picture: send single pictures of it"),
    (0, b"\x1aE\xdf\xa3", "a video (WebM or MKV), no picture: send single pictures of it"),
    (8, b"AVI ", "a video (AVI), no picture: send single pictures of it"),
    (0, (b"PK\3\4", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b"), "an archive, no picture: send the pictures themselves"),
    (0, (b"<!DOCTYPE html", b"<!doctype html", b"<html", b"<HTML"), "a web page, no picture"),
)


def unread_picture(data: bytes) -> str | None:
    """What it is, if it is a picture of a kind that is not read here: also one that holds a preview that could be."""
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _raw_in_tiff(data)
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((b"<svg", b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in head:
        return f"a drawing (SVG): {_CONVERT}"
    return _named(data, _PICTURES)


def other_kind(data: bytes) -> str | None:
    """What it is, if it is none, and is known."""
    return _named(data, _OTHERS)


def _named(data: bytes, kinds: tuple[tuple[int, bytes | tuple[bytes, ...], str], ...]) -> str | None:
    return next((name for offset, magic, name in kinds if data.startswith(magic, offset)), None)


def _raw_in_tiff(data: bytes) -> str | None:
    directory = tiff_header.read_directory(data)
    if data[8:10] == b"CR":
        return _RAW.format("CR2")
    if tiff_header.DNG_VERSION in directory:
        return _RAW.format("DNG")
    if not tiff_header.is_raw_photograph(directory):
        return None
    maker = directory[tiff_header.MAKE].raw if tiff_header.MAKE in directory else b""
    return _RAW.format(next((form for name, form in _MAKERS.items() if maker.startswith(name)), "of a camera"))
