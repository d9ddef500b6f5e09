"""What the dashboard's pages share: routing, the study, controls, figures with their tables."""
