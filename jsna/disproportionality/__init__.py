"""Disproportionality: crude and stratified comparisons between groups, with a status and its reasons."""

from jsna.disproportionality.crude import crude, reason_text, thresholds
from jsna.disproportionality.stratified import Stratified, stratified

__all__ = ["Stratified", "crude", "reason_text", "stratified", "thresholds"]
