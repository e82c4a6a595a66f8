"""The files of an archive → pictures, and what is known of each beside its features."""
