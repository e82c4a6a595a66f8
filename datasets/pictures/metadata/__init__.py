"""Files that tell of pictures → a table of columns with types, one row for each picture."""
