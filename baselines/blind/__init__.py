"""What can be predicted of test dives without a look at them, from the labels alone: the floor of every table."""
