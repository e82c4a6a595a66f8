"""The folder of TensorBoard's Embedding Projector in a ZIP: its configuration, vectors, metadata and sprite."""
