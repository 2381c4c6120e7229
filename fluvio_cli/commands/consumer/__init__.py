"""Commands on consumers, which are known by the offsets that the cluster keeps for them."""
