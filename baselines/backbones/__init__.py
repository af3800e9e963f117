"""Encoders: pictures or poses of a clip in, one feature vector a time step out."""
