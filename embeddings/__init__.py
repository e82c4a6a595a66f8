"""Pictures in, 3-D vectors out. Knows nothing of HTTP, models or settings: it takes paths, bytes and arrays.

images → backbones + features → reducers → vectors
"""
