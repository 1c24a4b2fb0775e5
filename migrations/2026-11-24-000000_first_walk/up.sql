-- People, and the tenants they work for.

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email) AND email LIKE '_%@_%'),
    name          text NOT NULL CHECK (name <> ''),
    password_hash text,
    -- A one-time password must be replaced at the first sign-in.
    password_once boolean NOT NULL DEFAULT false,
    administrator boolean NOT NULL DEFAULT false,
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ssh_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name         text NOT NULL CHECK (name <> ''),
    algorithm    text NOT NULL,
    public_key   text NOT NULL,
    -- One key, one user: also a revoked key blocks its fingerprint.
    fingerprint  text NOT NULL UNIQUE CHECK (fingerprint LIKE 'SHA256:_%'),
    last_used_at timestamptz,
    revoked_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ssh_keys_user ON ssh_keys (user_id);

CREATE TABLE accounts (
    id           uuid PRIMARY KEY,
    slug         text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name         text NOT NULL CHECK (name <> ''),
    suspended_at timestamptz,
    deleted_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account_members (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('owner', 'developer', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id)
);
CREATE INDEX account_members_user ON account_members (user_id);

-- What is deployed, and where.

CREATE TABLE projects (
    id             uuid PRIMARY KEY,
    account_id     uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    slug           text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name           text NOT NULL CHECK (name <> ''),
    prefix         text NOT NULL DEFAULT '' CHECK (prefix ~ '^([a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?)?$'),
    default_branch text NOT NULL DEFAULT 'main',
    suspended_at   timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, slug)
);

CREATE TABLE environments (
    id           uuid PRIMARY KEY,
    project_id   uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    name         text NOT NULL CHECK (name ~ '^[A-Za-z][A-Za-z0-9-]{0,62}$'),
    -- Raised by every new owner; see jobs.fence.
    fence        bigint NOT NULL DEFAULT 0,
    live_release uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, name)
);

CREATE TABLE clusters (
    id             uuid PRIMARY KEY,
    project_id     uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    name           text NOT NULL CHECK (name ~ '^[A-Za-z][A-Za-z0-9 -]{0,62}$'),
    kind           text NOT NULL CHECK (kind IN ('docker')),
    address        text NOT NULL CHECK (address ~ '^(https|unix|tcp|ssh)://.'),
    namespace      text NOT NULL CHECK (namespace ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, name)
);
CREATE INDEX clusters_environment ON clusters (environment_id);

CREATE TABLE deploy_rules (
    id             uuid PRIMARY KEY,
    project_id     uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    ref_pattern    text NOT NULL CHECK (ref_pattern ~ '^refs/(heads|tags)/.'),
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    priority       integer NOT NULL DEFAULT 0,
    protected      boolean NOT NULL DEFAULT false,
    enabled        boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, ref_pattern)
);

-- Pushes.

CREATE TABLE pushes (
    id          uuid PRIMARY KEY,
    project_id  uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id     uuid REFERENCES users ON DELETE SET NULL,
    fingerprint text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    exit_code   smallint
);
CREATE INDEX pushes_project ON pushes (project_id, received_at);

-- Jobs, their runs, their History.

CREATE SEQUENCE job_numbers AS bigint;

CREATE TABLE jobs (
    id              uuid PRIMARY KEY,
    number          bigint NOT NULL UNIQUE DEFAULT nextval('job_numbers'),
    kind            text NOT NULL CHECK (kind IN ('deploy', 'redeploy', 'rollback')),
    state           text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'ended')),
    outcome         text CHECK (outcome IN
        ('live', 'failed', 'cancelled', 'superseded', 'stale', 'lost', 'refused')),
    environment_id  uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    push_id         uuid REFERENCES pushes ON DELETE SET NULL,
    user_id         uuid REFERENCES users ON DELETE SET NULL,
    pusher          text NOT NULL,
    fingerprint     text,
    -- What is deployed. A redeploy learns its ref and commit when it is claimed.
    ref_name        text,
    old_oid         text CHECK (old_oid ~ '^[0-9a-f]{40}$'),
    new_oid         text CHECK (new_oid ~ '^[0-9a-f]{40}$'),
    subject         text NOT NULL DEFAULT '',
    forced          boolean NOT NULL DEFAULT false,
    variables       jsonb NOT NULL DEFAULT '{}',
    variables_hash  text NOT NULL,
    snapshot        jsonb NOT NULL,
    -- The ref: who moves it, the tip read when the job was claimed (null: absent), what came of it.
    ref_moves       text NOT NULL CHECK (ref_moves IN ('on-success', 'at-once', 'never')),
    expected_tip    text CHECK (expected_tip ~ '^[0-9a-f]{40}$'),
    ref_result      text CHECK (ref_result IN ('pending', 'moved', 'kept', 'elsewhere')),
    -- Only a worker that knows this number may write; null until the first claim.
    fence           bigint,
    -- Set before the first change to a target.
    applying_since  timestamptz,
    cancel_asked_at timestamptz,
    cancel_asked_by text,
    superseded_by   uuid REFERENCES jobs ON DELETE SET NULL,
    last_seq        bigint NOT NULL DEFAULT 0,
    reason          text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    CHECK ((state = 'ended') = (outcome IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (state <> 'running' OR fence IS NOT NULL)
);
-- A second push of the same thing attaches to the open job; one that is to be cancelled gives up its place.
CREATE UNIQUE INDEX jobs_open_key ON jobs
    (kind, environment_id, ref_name, old_oid, new_oid, forced, variables_hash) NULLS NOT DISTINCT
    WHERE state <> 'ended' AND cancel_asked_at IS NULL;
CREATE INDEX jobs_environment ON jobs (environment_id, number DESC);
CREATE INDEX jobs_open ON jobs (environment_id, number) WHERE state <> 'ended';

CREATE TABLE push_refs (
    push_id  uuid NOT NULL REFERENCES pushes ON DELETE CASCADE,
    ref_name text NOT NULL,
    old_oid  text CHECK (old_oid ~ '^[0-9a-f]{40}$'),
    new_oid  text CHECK (new_oid ~ '^[0-9a-f]{40}$'),
    decision text NOT NULL CHECK (decision IN
        ('deployed', 'attached', 'stored', 'deleted', 'refused')),
    reason   text NOT NULL DEFAULT '',
    job_id   uuid REFERENCES jobs ON DELETE SET NULL,
    PRIMARY KEY (push_id, ref_name)
);

CREATE TABLE job_runs (
    job_id         uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    attempt        integer NOT NULL CHECK (attempt > 0),
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    worker         text NOT NULL,
    fence          bigint NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT now(),
    lease_until    timestamptz NOT NULL,
    ended_at       timestamptz,
    outcome        text CHECK (outcome IN
        ('live', 'failed', 'cancelled', 'lost', 'interrupted')),
    PRIMARY KEY (job_id, attempt),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX job_runs_one_per_environment ON job_runs (environment_id) WHERE ended_at IS NULL;

CREATE TABLE history (
    job_id  uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq     bigint NOT NULL CHECK (seq > 0),
    attempt integer NOT NULL,
    step    text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('step', 'line', 'result', 'end')),
    text    text NOT NULL CHECK (octet_length(text) <= 1010),
    date    timestamptz NOT NULL DEFAULT clock_timestamp(),
    extra   jsonb NOT NULL DEFAULT '{}',
    batch   uuid NOT NULL,
    PRIMARY KEY (job_id, seq)
);
-- There is one end.
CREATE UNIQUE INDEX history_one_end ON history (job_id) WHERE kind = 'end';

-- What a job put live, with everything that is needed to apply it again.

CREATE TABLE releases (
    id             uuid PRIMARY KEY,
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    number         integer NOT NULL CHECK (number > 0),
    state          text NOT NULL CHECK (state IN ('pending', 'live', 'failed', 'replaced')),
    job_id         uuid NOT NULL UNIQUE REFERENCES jobs ON DELETE CASCADE,
    -- The fence its objects carry on the targets.
    fence          bigint NOT NULL,
    commit_oid     text NOT NULL CHECK (commit_oid ~ '^[0-9a-f]{40}$'),
    model          jsonb NOT NULL,
    images         jsonb NOT NULL,
    variables      jsonb NOT NULL,
    objects        jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    live_at        timestamptz,
    UNIQUE (environment_id, number),
    UNIQUE (environment_id, id)
);
CREATE UNIQUE INDEX releases_one_live ON releases (environment_id) WHERE state = 'live';
ALTER TABLE environments
    ADD FOREIGN KEY (id, live_release) REFERENCES releases (environment_id, id);

-- The HTTP entrance of the Docker target.

CREATE TABLE routes (
    host           text NOT NULL,
    path           text NOT NULL CHECK (path LIKE '/%'),
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    release_id     uuid NOT NULL REFERENCES releases ON DELETE CASCADE,
    upstreams      jsonb NOT NULL,
    PRIMARY KEY (host, path)
);
CREATE INDEX routes_environment ON routes (environment_id);

CREATE TABLE route_state (
    "only"  boolean PRIMARY KEY DEFAULT true CHECK ("only"),
    version bigint NOT NULL DEFAULT 0
);
INSERT INTO route_state DEFAULT VALUES;

CREATE TABLE routers (
    id      text PRIMARY KEY,
    version bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- Bells to ring; see src/janitor.rs.

CREATE TABLE outbox (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job_id     uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz,
    tries      integer NOT NULL DEFAULT 0
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
