src = open("/work/exp/nb04.py").read().replace("04_training_on_mnist", "03_shared_discriminator_and_q").replace("nb04_text", "nb03_text")
exec(src)
