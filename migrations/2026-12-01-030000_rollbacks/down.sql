DROP INDEX jobs_waiting_rollbacks;
DROP INDEX jobs_open_key;

ALTER TABLE jobs
    DROP CONSTRAINT jobs_source_fkey,
    DROP CONSTRAINT jobs_source_check,
    DROP COLUMN source;

ALTER TABLE releases
    DROP CONSTRAINT releases_source_fkey,
    DROP COLUMN source;

CREATE UNIQUE INDEX jobs_open_key ON jobs
    (kind, environment_id, ref_name, old_oid, new_oid, forced, variables_hash) NULLS NOT DISTINCT
    WHERE state <> 'ended' AND cancel_asked_at IS NULL;
