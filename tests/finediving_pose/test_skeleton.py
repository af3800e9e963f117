"""The joint order and what follows from it agree with each other."""

from finediving_pose.skeleton import FLIP, HIERARCHY, JOINTS, LIMBS, N_JOINTS, SIGMAS


def test_flipping_twice_gives_back_every_joint():
    assert [FLIP[FLIP[i]] for i in range(N_JOINTS)] == list(range(N_JOINTS))


def test_flipping_swaps_left_and_right_of_the_same_joint():
    for i, j in enumerate(FLIP):
        assert JOINTS[j] == JOINTS[i].replace("left", "~").replace("right", "left").replace("~", "right")


def test_limbs_join_all_joints_into_one_tree():
    reached = {LIMBS[0][0]}
    for _ in LIMBS:
        reached |= {j for limb in LIMBS if reached & set(limb) for j in limb}
    assert reached == set(range(N_JOINTS))
    assert len(LIMBS) == N_JOINTS - 1


def test_the_hierarchy_names_every_joint_once():
    assert sorted(j for level in HIERARCHY for j in level) == list(range(N_JOINTS))


def test_every_joint_has_a_sigma():
    assert len(SIGMAS) == N_JOINTS
