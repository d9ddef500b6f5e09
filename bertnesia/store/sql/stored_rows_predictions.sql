SELECT predictions.* REPLACE (facts.id AS fact)
FROM predictions
JOIN facts USING (fact)
WHERE list_contains($models, predictions.model)
