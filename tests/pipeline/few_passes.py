"""The full budget of metrics with few passes, for what the number of passes says nothing of: all metrics and tests."""

from dataclasses import replace

from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS

FEW_PASSES = replace(BUDGETS["full"], steps=2, curve_passes=8, regions=2, random_maps=2)
