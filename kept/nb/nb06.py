src = open("/work/exp/nb04.py").read().replace("04_training_on_mnist", "06_measuring_disentanglement").replace("nb04_text", "nb06_text")
exec(src)
