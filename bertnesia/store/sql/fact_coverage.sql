SELECT corpus, mentions
FROM coverage
WHERE fact = $fact
ORDER BY corpus
