"""Disproportionality: who is identified more, or less, often than others, and how sure is that?"""

from jsna.disproportionality.adjusted import Adjusted, adjusted
from jsna.disproportionality.crude import crude
from jsna.disproportionality.flags import Flags, flags
from jsna.disproportionality.gradient import Gradient, deprivation_gradient
from jsna.disproportionality.intersectional import Intersectional, intersectional
from jsna.disproportionality.learning import learn_priors
from jsna.disproportionality.pooled import Pooled, Prior, learn_prior, pooled
from jsna.disproportionality.prior_file import Priors, national_prior, national_priors, read_priors
from jsna.disproportionality.rule import Rule, make_rule, reason_text, thresholds
from jsna.disproportionality.schools import LeftOut, leave_one_school_out
from jsna.disproportionality.specification import SpecificationCurve, specification_curve
from jsna.disproportionality.stratified import Stratified, stratified
from jsna.disproportionality.study import repetition_floor
from jsna.disproportionality.unknown import unknown_ethnicity

__all__ = [
    "Adjusted",
    "Flags",
    "Gradient",
    "Intersectional",
    "LeftOut",
    "Pooled",
    "Prior",
    "Priors",
    "Rule",
    "SpecificationCurve",
    "Stratified",
    "adjusted",
    "crude",
    "deprivation_gradient",
    "flags",
    "intersectional",
    "learn_prior",
    "learn_priors",
    "leave_one_school_out",
    "make_rule",
    "national_prior",
    "national_priors",
    "pooled",
    "read_priors",
    "reason_text",
    "repetition_floor",
    "specification_curve",
    "stratified",
    "thresholds",
    "unknown_ethnicity",
]
