"""Angles, rates and moments of a dive from its 2-D poses, each with an error bar or the reason why there is no number.

:func:`~finediving_pose.kinematics.measure.measure_clip` measures a clip of a data directory,
:func:`~finediving_pose.kinematics.measure.measure_diver` measures arrays. docs/kinematics.md defines every quantity.
"""
