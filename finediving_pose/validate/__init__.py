"""What is wrong with the data, in words: one small function a rule, grouped by what it looks at."""

from finediving_pose.validate.rules import RULES, SEVERITIES, Finding, Rule, rule
from finediving_pose.validate.runner import chosen_rules, validate, validate_labels

__all__ = ["RULES", "SEVERITIES", "Finding", "Rule", "chosen_rules", "rule", "validate", "validate_labels"]
