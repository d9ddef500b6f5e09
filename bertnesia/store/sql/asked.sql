-- Which models have ranks of which decoder kind for which probe set, and of how many facts (plain
-- prompts, decoder seed 0, models that stand on every page).
SELECT asked.model, asked.kind, asked.probe_set, asked.facts
FROM asked
JOIN models USING (model)
WHERE asked.seed = 0 AND asked.variant = 'plain' AND models.role = 'model'
ORDER BY asked.kind = 'trained' DESC, asked.kind, asked.probe_set, models.position
