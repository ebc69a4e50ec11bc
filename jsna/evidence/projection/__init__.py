"""EHC plans projected: cohort flow and growth borrowed across authorities, with ranges from earlier forecasts."""
