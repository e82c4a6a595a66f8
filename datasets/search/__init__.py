"""Which pictures are like which: neighbours, duplicates, outliers."""
