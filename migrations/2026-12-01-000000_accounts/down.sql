DROP TABLE audit;
DROP FUNCTION refuse_change;
DROP TABLE repository_trash;
-- What deleted projects deployed goes on; the entrance does not know it any more.
DELETE FROM projects WHERE deleted_at IS NOT NULL;
DROP INDEX projects_name;
ALTER TABLE projects DROP COLUMN deleted_at, ADD UNIQUE (account_id, slug);
DROP TABLE account_quotas;
ALTER TABLE accounts DROP COLUMN namespace, DROP COLUMN namespace_prefix;
ALTER TABLE users DROP COLUMN deleted_at;
