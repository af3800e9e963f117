"""Features of a frozen encoder: computed once for a packed file, kept beside it for every training that shares it."""
