-- The models whose weights ship.
SELECT *
FROM models
WHERE role = 'model'
ORDER BY position, model
