src = open("/work/exp/nb04.py").read().replace("04_training_on_mnist", "02_variational_lower_bound").replace("nb04_text", "nb02_text")
exec(src)
