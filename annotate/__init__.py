"""How poses come to be: finding the diver, estimating joints, taking in hand annotations, merging the two."""
