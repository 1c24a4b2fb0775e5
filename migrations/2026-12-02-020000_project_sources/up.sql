-- Projects whose commits come from elsewhere, and the looks that are taken there.

CREATE TABLE project_sources (
    project_id    uuid PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    -- Without a password: what signs in stands sealed.
    url           text NOT NULL CHECK (url ~ '^(ssh|https)://[^/]+/.' OR url ~ '^[^/:@]+@[^/:@]+:.'),
    username      text NOT NULL CHECK (username ~ '^[A-Za-z0-9._+-]+$'),
    -- An SSH private key or a token, sealed for workers.
    secret        jsonb,
    -- The public half of the SSH key.
    public_key    text,
    -- Keys that the host may show, one a line; empty: none is known yet.
    host_keys     text NOT NULL DEFAULT '',
    -- Seconds between two looks; null: only when somebody asks.
    check_every   integer CHECK (check_every BETWEEN 60 AND 604800),
    next_check_at timestamptz,
    checked_at    timestamptz,
    -- Checks that failed, since the last one that did not; and why the last did.
    failures      integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    fault         text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((check_every IS NULL) = (next_check_at IS NULL)),
    CHECK (public_key IS NULL OR secret IS NOT NULL)
);
CREATE INDEX project_sources_due ON project_sources (next_check_at);

CREATE TABLE source_checks (
    id          uuid PRIMARY KEY,
    project_id  uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    purpose     text NOT NULL CHECK (purpose IN ('schedule', 'deploy', 'test')),
    -- Who asked, with the key they came with; nobody for a schedule.
    user_id     uuid REFERENCES users ON DELETE SET NULL,
    asked_by    text NOT NULL,
    fingerprint text NOT NULL DEFAULT '',
    asked_at    timestamptz NOT NULL DEFAULT now(),
    -- The worker that looks, and until when it is believed to.
    worker      text,
    lease_until timestamptz,
    attempt     integer NOT NULL DEFAULT 0,
    ended_at    timestamptz,
    -- Why nothing came of it; null: something did, or it is under way.
    fault       text,
    found       jsonb NOT NULL DEFAULT '{}',
    CHECK ((worker IS NULL) = (lease_until IS NULL)),
    CHECK (fault IS NULL OR ended_at IS NOT NULL)
);
-- Who asks for what is asked for already gets that answer; and a project is looked at once at a time.
CREATE UNIQUE INDEX source_checks_waiting ON source_checks (project_id, purpose)
    WHERE worker IS NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX source_checks_running ON source_checks (project_id)
    WHERE worker IS NOT NULL AND ended_at IS NULL;
CREATE INDEX source_checks_open ON source_checks (asked_at) WHERE ended_at IS NULL;
CREATE INDEX source_checks_project ON source_checks (project_id, asked_at);

-- What was last done about each ref of a source, so that a schedule does nothing twice.
CREATE TABLE source_tips (
    project_id     uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    ref_name       text NOT NULL,
    oid            text NOT NULL CHECK (oid ~ '^[0-9a-f]{40}$'),
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    -- Null: it was not deployed, or its job is forgotten.
    job_id         uuid REFERENCES jobs ON DELETE SET NULL,
    seen_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, ref_name)
);
CREATE INDEX source_tips_job ON source_tips (job_id);
