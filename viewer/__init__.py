"""The page that shows the cloud of pictures."""
