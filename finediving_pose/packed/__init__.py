"""The packed file: every clip's labels, frames and poses in one HDF5 file (``docs/format.md``)."""
