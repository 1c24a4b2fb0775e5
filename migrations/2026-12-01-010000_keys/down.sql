-- What was restricted would be free: it is revoked.
UPDATE ssh_keys SET revoked_at = now()
WHERE revoked_at IS NULL AND (access <> 'deploy' OR NOT all_projects OR expires_at IS NOT NULL);
DROP TABLE ssh_key_projects;
ALTER TABLE ssh_keys
    DROP COLUMN expires_at,
    DROP COLUMN access,
    DROP COLUMN all_projects,
    DROP COLUMN last_used_from;
