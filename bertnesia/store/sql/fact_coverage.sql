SELECT coverage.corpus, coverage.mentions
FROM coverage
JOIN facts USING (fact)
WHERE facts.id = $fact
ORDER BY coverage.corpus
