"""A page on this machine that asks a trained model about points of its latent space."""
