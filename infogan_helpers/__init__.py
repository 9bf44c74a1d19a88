"""The support module of the InfoGAN notebooks: networks, losses, training, measures, pictures.

Nothing is re-exported here: import from the file that holds a thing, so that you know which file to open.
"""
