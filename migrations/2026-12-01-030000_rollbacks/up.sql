-- Jobs that apply a stored release again, and the releases that come of it.

ALTER TABLE releases
    -- The release of which it is one more.
    ADD COLUMN source integer,
    ADD CONSTRAINT releases_source_fkey FOREIGN KEY (environment_id, source)
        REFERENCES releases (environment_id, number) ON DELETE SET NULL (source);

ALTER TABLE jobs
    ADD COLUMN source integer,
    ADD CONSTRAINT jobs_source_check CHECK (source IS NULL OR kind = 'rollback'),
    ADD CONSTRAINT jobs_source_fkey FOREIGN KEY (environment_id, source)
        REFERENCES releases (environment_id, number) ON DELETE SET NULL (source);

-- Two ways back to the same commit are two jobs.
DROP INDEX jobs_open_key;
CREATE UNIQUE INDEX jobs_open_key ON jobs
    (kind, environment_id, ref_name, old_oid, new_oid, forced, variables_hash, source)
    NULLS NOT DISTINCT WHERE state <> 'ended' AND cancel_asked_at IS NULL;

-- They come before all that waits, wherever it waits.
CREATE INDEX jobs_waiting_rollbacks ON jobs (number) WHERE kind = 'rollback' AND state = 'queued';
