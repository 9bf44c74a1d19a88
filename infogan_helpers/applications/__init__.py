"""What InfoGAN is good for, a file per use: editing, features, augmentation, anomalies, fairness."""
