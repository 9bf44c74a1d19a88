"""Edit notebook 05 from main's HEAD version; numbers in the texts are read off its outputs with the weights that ship."""
import json, subprocess
P = "/work/main/notebooks/05_latent_traversals.ipynb"
src = open("/work/exp/nb04.py").read().replace("04_training_on_mnist", "05_latent_traversals").replace("nb04_text", "nb05_text")
exec(src)
