-- Which models have ranks of which decoder kind for which probe set, and of how many facts (plain prompts).
SELECT asked.model, asked.kind, asked.probe_set, asked.facts
FROM asked
JOIN models USING (model)
WHERE asked.seed = 0 AND asked.variant = 'plain'
ORDER BY asked.kind = 'trained' DESC, asked.kind, asked.probe_set, models.position
