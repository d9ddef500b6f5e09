SELECT
    coverage.corpus,
    facts.probe_set,
    count(*) AS facts,
    count(*) FILTER (coverage.mentions > 0) AS mentioned,
    CAST(sum(coverage.mentions) AS BIGINT) AS mentions
FROM coverage
JOIN facts USING (fact)
GROUP BY ALL
ORDER BY coverage.corpus, facts.probe_set
